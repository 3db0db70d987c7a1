"""The likelihood tools on recorded samples: which parts are taken, and what is written where."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("constriction", reason="the extra [coding] is not installed")

from experiments import likelihood_recorded
from experiments.attack.targets import tiny_model
from experiments.likelihood_recorded import Options, at_most, main, pieces, spread
from experiments.recorded import Trained
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
from pixelpush.eval.coding.rivals import RIVALS
from pixelpush.eval.coding.table import codec_table
from pixelpush.files import read_json, write_json
from pixelpush.vpn import save_model

MARKS = "".join(
    f"<!-- {name}: begin -->old<!-- {name}: end -->\n"
    for name in ("recorded", "recorded-speeds", "recorded-listening")
)


def episode(number: int, length: int) -> Episode:
    draw = np.random.default_rng(number)
    frames = draw.integers(0, 256, (length, 3, 8, 8), dtype=np.uint8)
    rows = draw.normal(size=(length, 2)).astype(np.float32)
    return Episode(frames, rows, rows, f"episode-{number}", {"floor": rows[:, 0]})


def test_pieces_are_whole_or_a_whole_short_episode():
    found = pieces([episode(0, 45), episode(1, 7)])
    assert [(part.id, len(part.frames)) for part in found] == [
        ("episode-0+0", 20),
        ("episode-0+20", 20),
        ("episode-1+0", 7),
    ]
    np.testing.assert_array_equal(found[1].actions, episode(0, 45).actions[20:40])


def test_a_spread_takes_first_and_last():
    assert spread(list("abcdefg"), 3) == ["a", "d", "g"]
    assert spread(list("ab"), 3) == ["a", "b"]
    assert spread(list("ab"), 1) == ["a"]


@pytest.fixture
def prepared(tmp_path, monkeypatch) -> Callable[..., Options]:
    """``prepared(splits)``: options of a sample whose store and model are there."""

    def make(splits: dict[str, list[Episode]]) -> Options:
        monkeypatch.setitem(likelihood_recorded.SAMPLES, "tiny", ("tiny", ("folder",)))
        png_alone = functools.partial(codec_table, rivals=RIVALS[:1])
        monkeypatch.setattr(likelihood_recorded, "codec_table", png_alone)
        split = "train" if "train" in splits else "test"
        monkeypatch.setattr(likelihood_recorded, "train", lambda *_: Trained(split, "test"))
        write_store(tmp_path / "stores" / "tiny", splits, {})
        save_model(tiny_model(), tmp_path / "runs" / "tiny")
        write_json(tmp_path / "runs" / "tiny" / "final.json", {"seconds": 90.0})
        (tmp_path / "page.md").write_text(MARKS)
        (tmp_path / "docs").mkdir()
        places = {"json": tmp_path / "docs" / "recorded.json", "page": tmp_path / "page.md"}
        return Options(raw=tmp_path, out=tmp_path, only=("tiny",), coded=2, heard=4, **places)

    return make


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sample_of_several_episodes_is_coded_watched_and_told_lies(prepared, tmp_path):
    options = prepared(
        {
            "train": [episode(0, 8)],
            "val": [episode(1, 24), episode(2, 24)],
            "test": [episode(3, 24), episode(4, 24)],
        }
    )
    main(options)
    found = read_json(options.json)["tiny"]
    assert found["minutes"] == 1.5
    assert not found["trained_on_it"]
    assert found["coding"]["frames"] == 40
    assert [row["name"] for row in found["coding"]["rows"]] == ["PNG", "push-ot-small"]
    assert len(found["strangest"]) == 10
    page = options.page.read_text()
    assert "old" not in page
    assert found["listening"]["text"] in page
    assert "MB/s in / out" in page
    # Pictures of recordings lie with the runs alone.
    assert names(tmp_path / "docs") == ["recorded.json"]
    assert (tmp_path / "tiny-strangest.png").exists()


def test_what_is_measured_stays_and_what_is_named_is_measured_again(prepared, monkeypatch):
    options = prepared({"test": [episode(0, 30)]})
    main(options)
    before = read_json(options.json)["tiny"]
    for part in ("coding", "listening", "strangest"):
        monkeypatch.setitem(likelihood_recorded.PARTS, part, lambda *_, part=part: f"new {part}")
    monkeypatch.setattr(likelihood_recorded, "recorded_text", lambda figures: "")
    main(replace(options, page=None))
    assert read_json(options.json)["tiny"] == before
    main(replace(options, page=None, parts=("strangest",)))
    assert read_json(options.json)["tiny"] == before | {"strangest": "new strangest"}
    with pytest.raises(InputError, match=r"--parts speed: no such part; there are coding, "):
        main(replace(options, parts=("speed",)))


def test_long_episodes_are_watched_in_parts():
    short = [episode(0, 30)]
    assert at_most(short, 2) is short
    assert [part.id for part in at_most([episode(0, 100)], 2)] == ["episode-0+0", "episode-0+80"]


@pytest.mark.parametrize("length", [30, 90])
def test_a_single_episode_is_its_own_measure_and_is_told_no_lies(prepared, length):
    options = prepared({"test": [episode(0, length)]})
    main(options)
    found = read_json(options.json)["tiny"]
    assert found["trained_on_it"]
    assert found["listening"] is None
    assert "tiny, trained on it" in options.page.read_text()
