"""Sampled futures: the same seed gives the same files, videos hold what was sampled, a folder's
mistakes are named."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from flat_options import change

from pixelpush.cli.rollout import rollout
from pixelpush.datasets import open_dataset
from pixelpush.errors import InputError
from pixelpush.eval.rollout.sampling import rollout_episode, sample_futures
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.training import strips_while_training
from pixelpush.vpn import load_model


@pytest.fixture(scope="module")
def model(model_folder):
    return load_model(model_folder)


def arrays_of(path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def decoded_frames(path) -> np.ndarray:
    video, pictures = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        pictures.append(read[1])
    video.release()
    return np.stack(pictures)


def test_same_seed_same_bytes_another_seed_others(options):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        rollout(change(options, out=options.outputs.out / name, seed=seed))
    files = sorted(path.name for path in (options.outputs.out / "a").iterdir())
    own = [f"0001-push_21.{kind}" for kind in ("csv", "gif", "mp4", "npz", "png")]
    assert files == [*own, "contact-sheet.png", "index.html", "rollout.json"]
    for name in files:
        assert (options.outputs.out / "a" / name).read_bytes() == (
            options.outputs.out / "b" / name
        ).read_bytes()
    first, other = (
        arrays_of(options.outputs.out / name / "0001-push_21.npz")["samples"] for name in "ac"
    )
    assert (first != other).any()


def test_a_sample_does_not_depend_on_the_others(model, episode):
    settings = RolloutSettings(samples=3, batch_size=2)
    beginning = (episode.frames[:2], episode.states, episode.actions, 4)
    many = sample_futures(model, *beginning, settings, number=1)
    one = sample_futures(model, *beginning, replace(settings, samples=1), number=1)
    np.testing.assert_array_equal(one.frames[0], many.frames[0])
    assert (many.frames[0] != many.frames[1]).any()
    assert (sample_futures(model, *beginning, settings, number=2).frames[0] != many.frames[0]).any()


def test_the_video_holds_truth_samples_and_surprise(model, episode):
    video, futures = rollout_episode(model, episode, 1, RolloutSettings(samples=2), "title")
    assert video.frames == len(episode.frames)
    np.testing.assert_array_equal(video.truth, episode.frames[2:])
    np.testing.assert_array_equal(video.samples, futures.frames)
    np.testing.assert_allclose(video.frame_nats, video.heat.mean(axis=(1, 2)) / 3, rtol=1e-6)
    # The surprise at a sample, were it the truth, is what the sampler said of it.
    sampled = np.concatenate([episode.frames[:2], futures.frames[0]])
    again, _ = rollout_episode(
        model, replace(episode, frames=sampled), 1, RolloutSettings(samples=1), "title"
    )
    np.testing.assert_allclose(again.heat, -futures.log_prob[0], rtol=0, atol=1e-3)


def test_movie_has_every_frame_and_an_even_size(options):
    rollout(options)
    pictures = decoded_frames(options.outputs.out / "0001-push_21.mp4")
    assert len(pictures) == 5
    assert pictures.shape[1] % 2 == pictures.shape[2] % 2 == 0
    assert (options.outputs.out / "0001-push_21.mp4").read_bytes()[4:8] == b"ftyp"


def test_json_says_what_was_sampled(options):
    rollout(change(options, episodes=(1, 3), quality=True))
    found = json.loads((options.outputs.out / "rollout.json").read_text())
    assert [entry["id"] for entry in found["rollouts"]] == ["push/21", "push/23"]
    entry = found["rollouts"][0]
    assert entry["network_evaluations_per_frame"] == 4
    arrays = arrays_of(options.outputs.out / entry["files"]["npz"])
    assert arrays["samples"].shape == (2, 3, 3, 16, 16)
    assert arrays["samples"].dtype == np.uint8
    assert entry["surprise_nats_per_subpixel"] == pytest.approx(
        arrays["surprise"].mean() / 3, rel=1e-6
    )
    own = -arrays["sample_log_prob"].astype(float).mean(axis=(1, 2, 3)) / 3
    np.testing.assert_allclose(entry["samples_own_nats_per_subpixel"], own, rtol=1e-6)
    quality = json.loads((options.outputs.out / "quality.json").read_text())
    assert (quality["episodes"], quality["samples"], quality["steps"]) == (2, 2, 3)
    assert (options.outputs.out / "quality.png").is_file()


def test_predicted_states_differ_from_recorded_ones(model, episode):
    recorded, predicted = (
        rollout_episode(model, episode, 0, RolloutSettings(samples=1, states=states), "")[1]
        for states in ("recorded", "predicted")
    )
    np.testing.assert_array_equal(recorded.states[0], episode.states)
    np.testing.assert_array_equal(predicted.states[0, :2], episode.states[:2])
    assert (predicted.states[0, 2:] != episode.states[2:]).any()


def test_strips_while_training(store, model, tmp_path):
    strips_while_training(open_dataset(store, "val"), RolloutSettings(samples=1), 2, count=1)(
        model, tmp_path / "0000000100"
    )
    assert [path.name for path in (tmp_path / "0000000100").iterdir()] == ["0000-push_10.png"]


def test_mistakes_are_one_clear_line(options):
    mistakes = {
        "has episodes 0 to 4": {"episodes": (0, 5)},
        "--episodes: give at least one": {"episodes": ()},
        "2 are missing": {"steps": 9},
        "nothing to predict": {"context": 9, "steps": None},
        "--samples must be": {"samples": 0},
        "--temperature": {"temperature": -0.5},
        "--seed": {"seed": -1},
        "--frames-per-second": {"frames_per_second": 0},
        "one length": {"episodes": (1, 2), "steps": None, "quality": True},
    }
    for message, changes in mistakes.items():
        with pytest.raises(InputError, match=message):
            rollout(change(options, **changes))


def test_numbers_are_checked_before_anything_is_drawn_large(options, store, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("large episodes were simulated first")

    monkeypatch.setattr(
        "pixelpush.eval.rollout.run.open_split", lambda *_: open_dataset(store, "test-seen")
    )
    monkeypatch.setattr("pixelpush.eval.rollout.run.load_upscalers", lambda *_: [None])
    monkeypatch.setattr("pixelpush.eval.rollout.run.open_dataset", fail)
    with pytest.raises(InputError, match="--episodes 3000: test-seen of sim has episodes 0 to"):
        rollout(change(options, model="push-ot-small", data="sim", upscale=128, episodes=(3000,)))


# -- from a folder
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def beginning(options, episode, tmp_path):
    """Two pictures, larger than the model's and not square, states and five actions."""
    folder = tmp_path / "beginning"
    folder.mkdir()
    for number, name in ((0, "frame9.png"), (1, "frame10.png")):
        picture = episode.frames[number].transpose(1, 2, 0).repeat(2, 0).repeat(2, 1)
        wide = np.pad(picture, ((0, 0), (4, 4), (0, 0)))
        cv2.imwrite(str(folder / name), wide[..., ::-1])
    (folder / "states.csv").write_text(
        "x,y,z\n" + "".join(f"{a},{b},{c}\n" for a, b, c in episode.states[:2])
    )
    (folder / "actions.csv").write_text(
        "dx,dy\n" + "".join(f"{a},{b}\n" for a, b in episode.actions[:5])
    )
    return folder


def from_folder(options, folder):
    return change(options, folder=folder, data="", split="", steps=None)


def test_folder_gives_as_many_frames_as_actions_allow(options, beginning, episode):
    rollout(from_folder(options, beginning))
    arrays = arrays_of(options.outputs.out / "0000-beginning.npz")
    assert arrays["samples"].shape == (2, 4, 3, 16, 16)
    assert "truth" not in arrays
    np.testing.assert_array_equal(
        arrays["given"], episode.frames[:2]
    )  # cropped, halved, in natural order
    np.testing.assert_allclose(arrays["actions"], episode.actions[:5])
    assert len(decoded_frames(options.outputs.out / "0000-beginning.mp4")) == 6
    (entry,) = json.loads((options.outputs.out / "rollout.json").read_text())["rollouts"]
    assert "uncertainty_nats_per_subpixel" in entry


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "frame9.png").unlink(), r"1 frame files .*exactly 2"),
        (
            lambda folder: (folder / "frame9.png").write_bytes(b"\x89PNG\r\n\x1a\n"),
            "frame9.png: the PNG is truncated",
        ),
        (
            lambda folder: (folder / "states.csv").unlink(),
            "states.csv: no such file; .*states of 3 numbers",
        ),
        (
            lambda folder: (folder / "states.csv").write_text("x,y,z\n1,2,3\n"),
            "states.csv: 1 rows for 2 frames",
        ),
        (
            lambda folder: (folder / "actions.csv").write_text("dx,dy,dz\n1,2,3\n"),
            "3 columns .*actions have 2",
        ),
        (
            lambda folder: (folder / "actions.csv").write_text("dx,dy\n1,2\n3,nan\n"),
            "actions.csv, row 2, column 'dy'",
        ),
        (
            lambda folder: (folder / "actions.csv").write_text("dx,dy\n1,2\n3\n"),
            "actions.csv, row 2: 1 values",
        ),
        (
            lambda folder: (folder / "actions.csv").write_text("dx,dy\n1,2\n"),
            "1 actions are missing",
        ),
        (lambda folder: (folder / "actions.csv").write_text("1,2\n3,4\n"), "must name the columns"),
    ],
)
def test_folder_mistakes_name_file_and_row(options, beginning, change, message):
    change(beginning)
    with pytest.raises(InputError, match=message):
        rollout(from_folder(options, beginning))
    assert not options.outputs.out.exists()


def test_steps_beyond_the_actions_are_counted(options, beginning):
    with pytest.raises(InputError, match=r"5 rows, 11 are needed .* 6 actions are missing"):
        rollout(change(from_folder(options, beginning), steps=10))
    with pytest.raises(InputError, match="takes the place of"):
        rollout(change(options, folder=beginning))
