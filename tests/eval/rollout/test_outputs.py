"""What a rollout leaves in its folder: a record that grows, a page, a table; actions of one's own
and frames beyond the episode."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from flat_options import change
from PIL import Image

from pixelpush.cli.rollout import rollout
from pixelpush.errors import InputError
from pixelpush.eval.rollout.horizon import plan_horizon
from pixelpush.eval.rollout.quality import psnr, ssim
from pixelpush.eval.rollout.sampling import rollout_episode
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.sheet import contact_sheet
from pixelpush.vpn import load_model


def record(out: Path) -> list[dict]:
    return json.loads((out / "rollout.json").read_text())["rollouts"]


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def shown(out: Path) -> list[dict]:
    """The data of the page."""
    found = re.search(r"const ROLLOUTS = (\[.*\]);\n", (out / "index.html").read_text())
    assert found is not None
    return json.loads(found[1])


def test_a_second_run_adds_and_the_same_run_replaces(options):
    out = options.outputs.out
    rollout(options)
    first = record(out)
    rollout(change(options, temperature=0.5))
    rollout(change(options, episodes=(3,)))
    rollout(options)
    every = record(out)
    assert len(every) == 3
    assert [entry["files"]["npz"] for entry in every] == [
        "0001-push_21-2.npz",
        "0003-push_23.npz",
        "0001-push_21.npz",
    ]
    assert every[-1] == first[0]
    assert every[0]["settings"]["temperature"] == 0.5
    assert all((out / name).is_file() for entry in every for name in entry["files"].values())
    assert [item["title"] for item in shown(out)] == [
        "episode 1: push/21",
        "episode 3: push/23",
        "episode 1: push/21",
    ]


def test_a_record_of_the_first_version_is_kept(options):
    out = options.outputs.out
    rollout(options)
    (entry,) = record(out)
    above = {name: entry.pop(name) for name in ("model", "data", "split")}
    old = {"format": "pixelpush-rollout", "version": 1, **above, "rollouts": [entry]}
    (out / "rollout.json").write_text(json.dumps(old))
    rollout(change(options, episodes=(3,)))
    assert [(item["model"], item["episode"]) for item in record(out)] == [
        (above["model"], 1),
        (above["model"], 3),
    ]


def test_a_folder_of_something_else_is_refused_before_sampling(options):
    options.outputs.out.mkdir()
    (options.outputs.out / "rollout.json").write_text("{}")
    with pytest.raises(InputError, match="use another --out"):
        rollout(options)
    assert [path.name for path in options.outputs.out.iterdir()] == ["rollout.json"]


def test_the_table_holds_the_measures_of_every_frame(options, episode):
    rollout(change(options, states="predicted"))
    out = options.outputs.out
    arrays = arrays_of(out / "0001-push_21.npz")
    rows = table(out / "0001-push_21.csv")
    assert [(row["frame"], row["sample"]) for row in rows[:3]] == [
        ("2", "1"),
        ("2", "2"),
        ("3", "1"),
    ]
    assert len(rows) == 3 * 2
    deviation = load_model(options.model).state_std.numpy()
    for row in rows:
        step, sample = int(row["frame"]) - 2, int(row["sample"]) - 1
        truth, frame = arrays["truth"][step], arrays["samples"][sample, step]
        own = -arrays["sample_log_prob"][sample, step].mean() / 3
        error = (arrays["sample_states"][sample, 2 + step] - episode.states[2 + step]) / deviation
        expected = {
            "nats_per_subpixel": arrays["surprise"][step].mean() / 3,
            "sample_nats_per_subpixel": own,
            "psnr_db": psnr(truth, frame),
            "ssim": ssim(truth, frame),
            "state_error": np.sqrt(np.mean(error**2)),
        }
        for name, value in expected.items():
            assert float(row[name]) == pytest.approx(float(value), rel=1e-4)
    mean = np.mean([float(row["state_error"]) for row in rows])
    assert record(out)[0]["state_error"] == pytest.approx(mean, rel=1e-4)


def test_given_states_have_no_error(options):
    rollout(options)
    assert {row["state_error"] for row in table(options.outputs.out / "0001-push_21.csv")} == {""}
    assert "state_error" not in record(options.outputs.out)[0]


def test_the_gif_has_every_frame_at_its_speed(options):
    rollout(change(options, frames_per_second=10))
    with Image.open(options.outputs.out / "0001-push_21.gif") as film:
        assert film.n_frames == 5
        assert film.info["duration"] == 100
        assert film.info["loop"] == 0


def test_the_page_holds_the_frames_themselves_and_needs_nothing_else(options):
    rollout(options)
    out = options.outputs.out
    arrays = arrays_of(out / "0001-push_21.npz")
    (item,) = shown(out)
    assert [film["name"] for film in item["films"]] == ["truth", "sample 1", "sample 2", "surprise"]
    expected = {
        "truth": np.concatenate([arrays["given"], arrays["truth"]]),
        "sample 2": np.concatenate([arrays["given"], arrays["samples"][1]]),
    }
    for film in item["films"]:
        if film["name"] in expected:
            sheet = base64.b64decode(film["sheet"].removeprefix("data:image/png;base64,"))
            pixels = np.asarray(Image.open(io.BytesIO(sheet)))
            tiles = [pixels[:16, 16 * n : 16 * n + 16].transpose(2, 0, 1) for n in range(5)]
            np.testing.assert_array_equal(np.stack(tiles), expected[film["name"]])
    assert item["nats"] == pytest.approx(arrays["surprise"].mean((1, 2)) / 3, abs=1e-4)
    text = (out / "index.html").read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert "$" not in re.sub(r"const ROLLOUTS = .*", "", text)


def test_the_contact_sheet_has_a_block_for_each_rollout(model_folder, episode):
    model = load_model(model_folder)
    video, _ = rollout_episode(model, episode, 0, RolloutSettings(samples=1, steps=3), "title")
    one = contact_sheet([("one", video)])
    two = contact_sheet([("one", video), ("two", video)])
    assert two.shape[1] == one.shape[1]
    assert two.shape[0] > 1.7 * one.shape[0]


def test_actions_of_a_file_take_the_place_of_the_recorded_ones(options, episode, tmp_path):
    file = tmp_path / "push.csv"
    file.write_text("dx,dy\n1,0\n0,1\n")
    rollout(change(options, actions=file, steps=None))
    out = options.outputs.out
    arrays = arrays_of(out / "0001-push_21.npz")
    assert arrays["samples"].shape[1] == 2
    np.testing.assert_array_equal(arrays["actions"], [episode.actions[0], [1, 0], [0, 1]])
    assert "truth" not in arrays
    assert "uncertainty" in arrays
    assert (arrays["sample_states"][0, 2:] != episode.states[2:4]).any()
    # As the model itself rolls out the given frames under those actions.
    again, futures = rollout_episode(
        load_model(options.model),
        episode,
        1,
        RolloutSettings(samples=2),
        "",
        own_actions=np.array([[1, 0], [0, 1]], np.float32),
    )
    np.testing.assert_array_equal(arrays["samples"], futures.frames)
    assert again.truth is None
    rollout(change(options, steps=2))
    assert len(record(out)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dx\n1\n", "1 columns .*actions have 2"),
        ("dx,dy\n", "no row of actions|no rows"),
        (None, "no such file"),
    ],
)
def test_a_bad_file_of_actions_is_one_clear_line(options, tmp_path, text, message):
    file = tmp_path / "push.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=message):
        rollout(change(options, actions=file))
    assert not options.outputs.out.exists()


@pytest.mark.parametrize("beyond", ["hold", "loop"])
def test_frames_beyond_the_episode(options, episode, beyond):
    rollout(change(options, steps=10, beyond=beyond, quality=True))
    out = options.outputs.out
    arrays = arrays_of(out / "0001-push_21.npz")
    recorded = episode.actions[1:8]  # lead to frames 2 to 8
    expected = {
        "hold": [*episode.actions[:1], *recorded, *[recorded[-1]] * 3],
        "loop": [*episode.actions[:1], *recorded, *recorded[:3]],
    }[beyond]
    np.testing.assert_array_equal(arrays["actions"], expected)
    assert arrays["samples"].shape[1] == 10
    np.testing.assert_array_equal(arrays["truth"], episode.frames[2:])
    rows = table(out / "0001-push_21.csv")
    known = [row for row in rows if row["psnr_db"]]
    assert {row["frame"] for row in known} == {str(frame) for frame in range(2, 9)}
    assert {row["frame"] for row in rows} == {str(frame) for frame in range(2, 12)}
    # The part that is recorded is the same as without what lies beyond.
    short = rollout_episode(load_model(options.model), episode, 1, RolloutSettings(samples=2), "")
    np.testing.assert_array_equal(arrays["samples"][:, :7], short[1].frames)


def test_without_beyond_missing_actions_are_counted(episode):
    with pytest.raises(InputError, match=r"3 are missing\. --beyond hold"):
        plan_horizon(episode, 2, RolloutSettings(steps=10))
