"""The tables of the likelihood's uses: kept, made again where what they are of has changed, and
ahead of the weights."""

from __future__ import annotations

import functools
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("constriction", reason="the extra [coding] is not installed")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vpn"))
from tiny import tiny_model

from experiments import futures as futures_file
from experiments import likelihood_tables
from experiments.futures import futures
from experiments.likelihood_tables import TABLES, Options, main
from experiments.stream_speed import stream_speed, stream_text
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
from pixelpush.eval.coding.rivals import RIVALS
from pixelpush.eval.coding.table import rival_rows
from pixelpush.eval.listening.counterfactuals import Futures, some_pairs
from pixelpush.files import read_json
from pixelpush.vpn import save_model

MARKS = "".join(f"<!-- {name}: begin -->OLD<!-- {name}: end -->\n" for name in (*TABLES, "made"))


def episode(number: int, length: int = 8) -> Episode:
    draw = np.random.default_rng(number)
    frames = draw.integers(0, 256, (length, 3, 8, 8), dtype=np.uint8)
    states, actions = (draw.normal(size=(length, n)).astype(np.float32) for n in (2, 3))
    return Episode(frames, states, actions, f"episode-{number}")


@pytest.fixture
def options(tmp_path, monkeypatch) -> Options:
    """A tiny model on a tiny store, beside PNG alone."""
    png_alone = functools.partial(rival_rows, rivals=RIVALS[:1])
    monkeypatch.setattr(likelihood_tables, "rival_rows", png_alone)
    splits = {"val": [episode(n) for n in range(12)], "test": [episode(20), episode(21)]}
    write_store(tmp_path / "store", splits, {})
    save_model(tiny_model("ot"), tmp_path / "model")
    (tmp_path / "page.md").write_text(MARKS)
    return Options(
        sets=(str(tmp_path / "store"), str(tmp_path / "model"), "test"),
        coded=2,
        heard=2,
        watched=12,
        calibrated=1,
        streamed=2,
        false_alarms=0.1,
        results=tmp_path / "results",
        figures=tmp_path / "figures",
        page=tmp_path / "page.md",
    )


def test_every_table_is_made_kept_and_made_again_where_its_amount_changes(options, monkeypatch):
    main(options)
    page = options.page.read_text()
    # Only a simulator knows what other actions would have done.
    assert [line for line in page.splitlines() if "OLD" in line] == [
        "<!-- counterfactual: begin -->OLD<!-- counterfactual: end -->"
    ]
    for name in ("coding", "listening", "surprise", "stream", "calibration"):
        found = read_json(options.results / f"store-model-{name}.json")
        assert found["text"] in page
        assert f"\n{name} " in page
        made = found["made"]
        assert made["core_minutes"] >= 0

    made_again = []
    for name, table in TABLES.items():

        def make(subject, options, name=name):
            made_again.append(name)
            return {"text": f"new {name}"}

        monkeypatch.setitem(TABLES, name, replace(table, make=make))
    main(options)
    assert made_again == []
    assert options.page.read_text() == page
    main(replace(options, coded=1))
    assert made_again == ["coding"]
    assert "new coding" in options.page.read_text()
    main(replace(options, coded=1, only=("stream",), again=True))
    assert made_again == ["coding", "stream"]


def test_other_weights_are_other_figures(options, tmp_path):
    only = replace(options, only=("calibration",), page=None)
    main(only)
    path = options.results / "store-model-calibration.json"
    before = read_json(path)
    shutil.rmtree(tmp_path / "model")
    save_model(tiny_model("ot", gain=0.7), tmp_path / "model")
    main(only)
    after = read_json(path)
    assert after["of"]["model_sha256"] != before["of"]["model_sha256"]
    assert after["groups"] != before["groups"]


def test_the_other_codecs_can_be_measured_ahead(options, monkeypatch):
    main(replace(options, ahead=True))
    assert [path.name for path in options.results.iterdir()] == ["store-test-rivals.json"]
    assert options.page.read_text() == MARKS
    monkeypatch.setattr(likelihood_tables, "rival_rows", None)
    main(replace(options, only=("coding",)))
    rows = read_json(options.results / "store-model-coding.json")["tables"]
    (table,) = rows.values()
    assert [row["name"] for row in table["rows"]] == ["PNG", "model"]


def test_a_name_that_is_no_table_is_refused(options):
    with pytest.raises(InputError, match=r"--only speed: no such table; there are coding, "):
        main(replace(options, only=("speed",)))
    with pytest.raises(InputError, match="--sets takes three words a set"):
        main(replace(options, sets=("sim", "push-ot-small")))


def test_futures_are_simulated_once(tmp_path, monkeypatch):
    both = [Futures(pair, episode(1), episode(2)) for pair in some_pairs(2)]
    for one in both:
        for each in (one.own, one.other):
            labels = {"segmentation": np.ones((8, 8, 8), np.uint8), "object_poses": each.states}
            each.extra.update(labels)

    class Simulated:
        def __init__(self, name, size):
            assert (name, size) == ("sim", 8)

        def futures(self, pair):
            return next(one for one in both if one.pair == pair)

    monkeypatch.setattr(futures_file, "Laboratory", Simulated)
    pairs = some_pairs(2)
    futures("sim", 8, pairs[:1], tmp_path)
    assert len(list(tmp_path.rglob("*.npz"))) == 1
    futures("sim", 8, pairs, tmp_path)
    monkeypatch.setattr(futures_file, "Laboratory", None)
    for found, expected in zip(futures("sim", 8, pairs, tmp_path), both, strict=True):
        assert found.pair == expected.pair
        for name in ("own", "other"):
            read, made = getattr(found, name), getattr(expected, name)
            assert read.id == made.id
            for field in ("frames", "states", "actions"):
                np.testing.assert_array_equal(getattr(read, field), getattr(made, field))
            assert set(read.extra) == set(made.extra)
            for label in read.extra:
                np.testing.assert_array_equal(read.extra[label], made.extra[label])


def test_a_stream_is_timed_frame_by_frame():
    found = stream_speed(tiny_model("ot", encoder="layered"), "tiny", frames=3)
    assert found.frames_per_second > 0
    assert found.frames_per_core_second > 0
    assert 0 < found.median_milliseconds <= found.slowest_milliseconds
    # Three frames by the clock take no less than the slowest of them.
    assert 3 / found.frames_per_second * 1000 >= found.slowest_milliseconds
    assert stream_text(found).startswith("tiny (ot, 8x8), batch 1, cpu, ")


def test_tables_carry_their_marks():
    """The page has the place of every table."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "likelihood.md").read_text()
    for name in (*TABLES, "made", "recorded", "recorded-speeds", "recorded-listening"):
        assert page.count(f"<!-- {name}: begin -->") == 1
