"""Whole splits: the report's sums, its independence from the batch, and the texts made of it."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
import torch
from flat_options import build

from pixelpush.cli.nll import NllOptions, nll
from pixelpush.datasets import open_dataset
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import moving_mnist
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.likelihood.tables import COLUMNS, moving_mnist_text, split_text, table2_text
from pixelpush.eval.likelihood.videos import TableRow, evaluate, row_names
from pixelpush.eval.text import text_table
from pixelpush.vpn import load_model

SPLITS = ("val", "test-seen")


@pytest.fixture(scope="module")
def typed(store, model_folder):
    model = load_model(model_folder)
    splits = {name: open_dataset(store, name) for name in SPLITS}
    return evaluate(
        [TableRow("small", "ot", model)],
        splits,
        EvalProtocol(clip_frames=5),
        open_dataset(store, "train"),
    )


@pytest.fixture(scope="module")
def report(typed):
    """The same as JSON values."""
    return typed.to_json()


def test_total_equals_log_prob_of_every_clip(report, store, model_folder):
    """Clips of 5 with 2 given: an episode of 9 is cut at 0, 3 and 6."""
    model, split = load_model(model_folder), open_dataset(store, "test-seen")
    for index, found in enumerate(report["models"][0]["splits"]["test-seen"]["per_episode"]):
        episode, nats, predicted = split[index], 0.0, 0
        for start in range(0, len(episode.frames) - 2, 3):
            clip = (
                torch.from_numpy(x[None, start : start + 5])
                for x in (episode.frames, episode.states, episode.actions)
            )
            with torch.no_grad():
                log_prob = model.log_prob(*clip)
            nats -= float(log_prob.double().sum())
            predicted += log_prob.shape[1]
        assert predicted == len(episode.frames) - 2 == found["frames"]
        assert found["nats"] == pytest.approx(nats, rel=1e-6)
        assert found["nats_per_subpixel"] == found["nats"] / found["subpixels"]


def test_split_figure_is_total_over_count(report):
    for rows in (report["models"][0], report["reference"]):
        for name in SPLITS:
            summary = rows["splits"][name]
            nats = math.fsum(e["nats"] for e in summary["per_episode"])
            count = sum(e["subpixels"] for e in summary["per_episode"])
            assert summary["nats_per_subpixel"] == nats / count
            assert summary["bits_per_dimension"] == summary["nats_per_subpixel"] / math.log(2)
            assert summary["nats_per_frame"] == pytest.approx(
                summary["nats_per_subpixel"] * 3 * 16 * 16
            )
            curve = summary["per_frame"]
            per_frame = count / sum(e["frames"] for e in summary["per_episode"])
            assert math.fsum(
                p["nats_per_subpixel"] * p["episodes"] for p in curve
            ) * per_frame == pytest.approx(nats)


def test_floor_and_differences(report, store):
    split = open_dataset(store, "test-seen")
    floors = [
        float(split[i].extra["noise_floor"][2:].astype(float).sum()) for i in range(len(split))
    ]
    frames = [len(split[i].frames) - 2 for i in range(len(split))]
    floor = report["splits"]["test-seen"]["floor"]["nats_per_subpixel"]
    assert floor == pytest.approx(sum(floors) / sum(frames))
    model, reference = (
        rows["splits"]["test-seen"] for rows in (report["models"][0], report["reference"])
    )
    assert model["above_floor"]["nats_per_subpixel"] == pytest.approx(
        model["nats_per_subpixel"] - floor
    )
    expected = model["nats_per_subpixel"] - reference["nats_per_subpixel"]
    assert model["above_reference"]["nats_per_subpixel"] == pytest.approx(expected)
    assert reference["above_reference"] is None


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_likelihood_does_not_depend_on_the_batch(report, store, model_folder, batch_size):
    model = load_model(model_folder)
    splits = {name: open_dataset(store, name) for name in SPLITS}
    other = evaluate(
        [TableRow("small", "ot", model)], splits, EvalProtocol(clip_frames=5, batch_size=batch_size)
    )
    for name in SPLITS:
        pair = [r["models"][0]["splits"][name]["per_episode"] for r in (report, other.to_json())]
        for one, two in zip(*pair, strict=True):
            assert one["nats"] == pytest.approx(two["nats"], rel=1e-6)


def test_a_prefix_is_said_to_be_one(store, model_folder):
    splits = {"test-seen": open_dataset(store, "test-seen")}
    model = TableRow("small", "ot", load_model(model_folder))
    typed = evaluate([model], splits, EvalProtocol(clip_frames=5), prefix=2)
    found = typed.to_json()
    assert found["splits"]["test-seen"]["whole_split"] is False
    assert (
        found["splits"]["test-seen"]["episodes"],
        found["splits"]["test-seen"]["episodes_in_split"],
    ) == (2, 5)
    assert "ONLY the first 2 of 5" in split_text(typed, "test-seen")
    with pytest.raises(InputError, match="1 to 5"):
        evaluate([model], splits, EvalProtocol(clip_frames=5), prefix=6)


def test_table2_holds_ours_and_the_published_figures(typed, report):
    lines = table2_text(typed).splitlines()
    row = next(line for line in lines if line.startswith("small  "))
    for name in SPLITS:
        assert f"{report['models'][0]['splits'][name]['nats_per_subpixel']:.3f}" in row
    # Published figures are of other data: in columns of their own, dashes in ours.
    assert row.split()[-2:] == ["1.04", "1.04"]
    published = next(line for line in lines if line.startswith("O(T log N) VPN"))
    assert published.removeprefix("O(T log N) VPN").split() == ["-", "-", "0.74", "1.06"]
    ours = [COLUMNS[name] for name in SPLITS]
    columns = [*ours, *(word for name in ours for word in ("published", name))]
    header = next(line for line in lines if line.split() == columns)
    floor = next(line for line in lines if line.startswith("noise floor"))
    assert floor.split()[-2:] == ["-", "-"]
    assert lines.index(header) < lines.index(row) < lines.index(published)


def test_text_table_aligns():
    assert text_table(["", "value"], [["a", "1"], ["long", "12.5"]], [1]).splitlines() == [
        "      value",
        "-----------",
        "a         1",
        "-----------",
        "long   12.5",
    ]


def test_rows_of_the_same_name_keep_their_paths():
    assert row_names(["runs/a", "runs/b"]) == ["a", "b"]
    assert row_names(["x/a", "y/a", "z/c"]) == ["x/a", "y/a", "c"]


def test_command_writes_json_and_figure(store, model_folder, save_model_folder, tmp_path, capsys):
    other = save_model_folder(tmp_path / "other", seed=1)
    json_path, figure = tmp_path / "out" / "nll.json", tmp_path / "out" / "nll.png"
    nll(
        build(
            NllOptions,
            models=(str(model_folder), str(other)),
            data=str(store),
            json=json_path,
            figure=figure,
            quiet=True,
        )
    )
    report = json.loads(json_path.read_text())
    assert [entry["name"] for entry in report["models"]] == ["small", "other"]
    assert list(report["splits"]) == ["train", "val", "test-seen", "test-novel"]
    assert (report["data"], report["reference_split"]) == (str(store), "train")
    assert "O(TN) VPN" in capsys.readouterr().out
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["nll.json", "nll.png"]


def test_command_takes_data_and_protocol_from_the_run(
    store, model_folder, save_model_folder, tmp_path, capsys
):
    run = save_model_folder(tmp_path / "run", seed=2)
    config = {
        "data": str(store),
        "train": {"data": {"context": 3, "clip_frames": 20, "scored_frames": 6}},
    }
    (run / "config.json").write_text(json.dumps(config))
    nll(build(NllOptions, model=str(run), splits=("val",), reference=False, quiet=True))
    text = capsys.readouterr().out
    assert "3 context frames" in text
    assert "clips of 6 frames" in text
    assert "all 2 episodes, 6 predicted frames" in text
    with pytest.raises(InputError, match=r"no common context .*run: 3"):
        nll(build(NllOptions, models=(str(run), str(model_folder)), data=str(store), quiet=True))


def test_mistakes_are_one_clear_line(store, model_folder, save_model_folder, tmp_path):
    name = str(model_folder)
    wide = str(save_model_folder(tmp_path / "wide", seed=0, action_dim=4))
    large = str(save_model_folder(tmp_path / "large", seed=0, frame_size=32))
    one = {"model": name, "data": str(store)}
    quick = {"reference": False, "quiet": True}
    mistakes = {
        "--model, or several": {"data": str(store)},
        "twice": {"models": (name, name), "data": str(store)},
        "neither a run folder": {**one, "model": "no-such-model"},
        "no common data": {"model": name},
        "no dataset": {"model": name, "data": str(tmp_path / "nowhere"), "splits": ("val",)},
        "no split 'tset'": {**one, "splits": ("tset",)},
        "takes frames 3x16x16, state 3, action 4": {**one, **quick, "model": wide},
        "prepare the data again with --size 32": {**one, **quick, "model": large},
        "takes frames 3x32x32": {"models": (name, large), "data": str(store)},
        "context of 4": {**one, **quick, "context": 4},
        "below the clip length": {**one, "context": 5, "clip_frames": 5, "quiet": True},
        "must end in .png": {**one, "figure": tmp_path / "figure.jpg"},
        "is a folder": {**one, "json": tmp_path},
        "--batch-size must be at least 1": {**one, "batch_size": 0},
        "--episodes must be at least 1": {**one, "episodes": -1},
        "--context must be at least 1": {**one, "context": 0},
        "--clip-frames must be at least 1": {**one, "clip_frames": 0},
    }
    for message, options in mistakes.items():
        with pytest.raises(InputError, match=message) as caught:
            nll(build(NllOptions, **options))
        assert "\n" not in str(caught.value)


def test_moving_mnist_stands_beside_the_published_nats_per_frame(
    save_model_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(moving_mnist, "VALIDATION_DIGITS", 1)
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        digits = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
        (tmp_path / name).write_bytes(struct.pack(">IIII", 2051, *digits.shape) + digits.tobytes())
    prepare("moving-mnist", tmp_path, tmp_path / "digits", train=1, val=0, test=1)
    shapes = {"frame_size": 64, "colours": 1, "state_dim": 0, "action_dim": 0}
    model = str(save_model_folder(tmp_path / "small", seed=0, **shapes))
    json_path = tmp_path / "nll.json"
    nll(
        build(
            NllOptions,
            model=model,
            data=str(tmp_path / "digits"),
            context=10,
            json=json_path,
            device="cpu",
            quiet=True,
        )
    )
    report, text = json.loads(json_path.read_text()), capsys.readouterr().out
    assert report["splits"]["test"]["source"] == "moving-mnist"
    summary = report["models"][0]["splits"]["test"]
    assert summary["nats_per_frame"] == pytest.approx(summary["nats_per_subpixel"] * 64 * 64)
    rows = {
        line.rsplit(maxsplit=2)[0]: line.split()[-2:]
        for line in text.splitlines()
        if ", test" in line
    }
    # Ours in one column, the published ones, on another scale, in the other.
    assert rows["small, test"] == [f"{summary['nats_per_frame']:.1f}", "-"]
    assert rows["VPN, test"] == ["-", "87.6"]
    assert rows["lower bound, test"] == ["-", "86.3"]
    assert "another scale" in text


def test_other_data_have_no_moving_mnist_table(typed):
    assert moving_mnist_text(typed) == ""


def test_partly_known_floors_are_refused(draw_episode, model_folder):
    class Split(list):
        name = "mixed"

    split = Split([draw_episode(0, 6), draw_episode(1, 6, floor=False)])
    with pytest.raises(InputError, match="only 1 of 2"):
        evaluate(
            [TableRow("small", "ot", load_model(model_folder))], {"val": split}, EvalProtocol()
        )
    unknown = Split([draw_episode(n, 6, floor=False) for n in range(2)])
    report = evaluate(
        [TableRow("small", "ot", load_model(model_folder))], {"val": unknown}, EvalProtocol()
    )
    assert report.splits["val"].floor is None
    assert "noise floor" not in split_text(report, "val")
    assert np.isfinite(report.models[0].splits["val"].headline.value)
