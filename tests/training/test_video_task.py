"""Clips, statistics and validation of the video task; the whole command on a prepared store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, MODEL, episodes

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import EpisodeStore, write_store
from pixelpush.errors import InputError
from pixelpush.training.commands import run_training
from pixelpush.training.config import DataConfig, RunOptions
from pixelpush.training.options import PresetChanges, TrainingData
from pixelpush.training.vector_statistics import vector_statistics
from pixelpush.training.video_task import VideoTask
from pixelpush.vpn import load_model
from pixelpush.vpn.own_past import OwnPast

PLAIN = DataConfig(clip_frames=4, context=2, scored_frames=4)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A prepared store with 9 episodes to train on, 4 to validate on."""
    path = tmp_path_factory.mktemp("data") / "tiny"
    return write_store(
        path, {"train": episodes(9), "val": episodes(4, first=50)}, {"source": "a test"}
    )


def test_a_clip_is_a_window_of_its_episode_and_a_pure_function(store: Path):
    in_memory = VideoTask("ot", MODEL, PLAIN, episodes(9))
    stored = VideoTask("ot", MODEL, PLAIN, EpisodeStore(store, "train"))
    starts = set()
    for epoch in range(4):
        for index in range(9):
            name, clip = in_memory.example(3, epoch, index)
            whole = episodes(1, first=index)[0]
            found = [
                start
                for start in range(3)
                if all(
                    np.array_equal(clip[key], getattr(whole, key)[start : start + 4])
                    for key in clip
                )
            ]
            assert len(found) == 1
            starts.update(found)
            again, same = stored.example(3, epoch, index)
            assert name == again == f"episode-{index}"
            assert all(np.array_equal(clip[key], same[key]) for key in clip)
    assert starts == {0, 1, 2}


def test_augmentation_is_a_pure_function_of_seed_epoch_and_example():
    task = VideoTask("ot", MODEL, CONFIG.data, episodes(3))
    first, again, other = (task.example(1, epoch, 2)[1]["frames"] for epoch in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mirrored_clips_move_states_and_actions_with_the_picture(tmp_path: Path):
    metadata = {"source": "a test", "mirror": [[1], []]}
    path = write_store(tmp_path / "mirrored", {"train": episodes(6)}, metadata)
    mirrored = VideoTask("ot", MODEL, replace(PLAIN, mirror=True), EpisodeStore(path, "train"))
    plain = VideoTask("ot", MODEL, PLAIN, EpisodeStore(path, "train"))
    turned = 0
    for epoch in range(5):
        for index in range(6):
            _, clip = mirrored.example(0, epoch, index)
            _, same = plain.example(0, epoch, index)
            if np.array_equal(clip["frames"], same["frames"]):
                assert all(np.array_equal(clip[name], same[name]) for name in clip)
                continue
            turned += 1
            assert np.array_equal(clip["frames"], same["frames"][..., ::-1])
            assert np.array_equal(clip["states"], same["states"] * np.float32([1, -1]))
            assert np.array_equal(clip["actions"], same["actions"])
    assert 0 < turned < 30  # both: a false failure once in 2^29


def test_statistics_are_the_training_splits(store: Path):
    task = VideoTask("ot", MODEL, PLAIN, EpisodeStore(store, "train"))
    model = task.build_model()
    task.initialise(model, 0)
    for name in ("state", "action"):
        rows = np.concatenate([getattr(episode, f"{name}s") for episode in episodes(9)])
        np.testing.assert_allclose(getattr(model, f"{name}_mean"), rows.mean(0), atol=1e-6)
        np.testing.assert_allclose(getattr(model, f"{name}_std"), rows.std(0), rtol=1e-5)


def test_statistics_read_a_bounded_number_of_episodes():
    class Many(list):
        reads = 0

        def __len__(self) -> int:
            return 100_000

        def __getitem__(self, index):
            Many.reads += 1
            assert 0 <= index < 100_000
            return ONE

    ONE = episodes(1)[0]
    vector_statistics(Many())  # type: ignore[arg-type]
    assert Many.reads == 512


def test_a_shorter_episode_shortens_the_clips_and_is_said(capsys):
    mixed = [*episodes(3), *episodes(1, first=7, length=3)]
    task = VideoTask("ot", MODEL, PLAIN, mixed)
    assert (
        "shortest training episode has 3 frames: training clips have 3, not 4"
        in capsys.readouterr().err
    )
    assert {task.example(0, 0, index)[1]["frames"].shape[0] for index in range(4)} == {3}
    with pytest.raises(InputError, match="episode-7: 2 frames leave nothing to predict"):
        VideoTask("ot", MODEL, PLAIN, [*episodes(3), *episodes(1, first=7, length=2)])


def test_mistakes_in_the_data_are_one_clear_line():
    with pytest.raises(InputError, match="no episode"):
        VideoTask("ot", MODEL, PLAIN, [])
    with pytest.raises(
        InputError, match="does not say how its states and actions change in a mirror"
    ):
        VideoTask("ot", MODEL, DataConfig(clip_frames=4, mirror=True), episodes(2))
    with pytest.raises(InputError, match="unknown setting 'chanels'"):
        VideoTask("ot", {"chanels": 3}, PLAIN, episodes(2))


def test_validation_scores_the_first_items_or_all(store: Path):
    task = VideoTask("ot", MODEL, PLAIN, EpisodeStore(store, "train"), EpisodeStore(store, "val"))
    model = task.build_model()
    cpu = torch.device("cpu")
    first, whole = (
        task.evaluate(model, limit, cpu, "32")["nats_per_subpixel"] for limit in (1, None)
    )
    alone = VideoTask("ot", MODEL, PLAIN, episodes(1), episodes(1, first=50)).evaluate(
        model, None, cpu, "32"
    )
    assert first == pytest.approx(alone["nats_per_subpixel"], rel=1e-6)
    assert whole != first
    assert VideoTask("ot", MODEL, PLAIN, episodes(1)).evaluate(model, None, cpu, "32") == {}
    # Training on shorter clips changes nothing of the protocol.
    short = DataConfig(clip_frames=3, context=2, scored_frames=4)
    found = VideoTask("ot", MODEL, short, episodes(1), EpisodeStore(store, "val")).evaluate(
        model, None, cpu, "32"
    )
    assert found["nats_per_subpixel"] == pytest.approx(whole, rel=1e-6)


def test_the_command_trains_on_a_store_and_resumes(store: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = tuple(f"{name}={value}" for name, value in MODEL.items())
    changes = PresetChanges(examples=24, batch_size=4, clip_frames=5)
    options = RunOptions(accelerator="cpu", quiet=True)
    for _ in range(2):
        run = tmp_path / "run"
        run_training("push-ot-small", TrainingData(str(store)), run, changes, settings, options)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["preset"] == "push-ot-small"
    assert config["task"]["training"]["content"] == EpisodeStore(store, "train").content_sha256
    assert config["task"]["model"]["channels"] == MODEL["channels"]
    assert config["notes"] == {"name": "tiny/train", "metadata": {"source": "a test"}}
    model = load_model(tmp_path / "run")
    episode = episodes(1)[0]
    arrays = (
        torch.from_numpy(array)[None] for array in (episode.frames, episode.states, episode.actions)
    )
    assert torch.isfinite(model.log_prob(*arrays)).all()


# --- constant entries, and what actions are
# --------------------------------------------------------------------------------------------------


def with_column(made, name, column, value):
    """The episodes with one entry of their states or actions set."""
    for number, episode in enumerate(made):
        getattr(episode, name)[:, column] = value(number, len(episode.frames))
    return made


@pytest.mark.parametrize(
    "value",
    [
        lambda number, length: 0.5,
        lambda number, length: 0.0,
        lambda number, length: 1e6,
        lambda number, length: 0.1 + 1e-7 * number,
        lambda number, length: 0.5 + 2e-5 * np.sin(np.arange(length)),
    ],
)
@pytest.mark.parametrize("name", ["states", "actions"])
def test_a_constant_entry_is_scaled_by_one_and_said(capsys, name, value):
    task = VideoTask("ot", MODEL, PLAIN, with_column(episodes(5), name, 1, value))
    model = task.build_model()
    task.initialise(model, 0)
    kind = name[:-1]
    assert f"so scaled by 1: {kind} {kind} 1" in capsys.readouterr().err
    assert getattr(model, f"{kind}_std")[1] == 1
    assert getattr(model, f"{kind}_std")[0] != 1


def test_a_centimetre_off_a_fixed_height_costs_no_hundreds_of_nats():
    """Divided by 1e-6, the difference was 10,000 deviations: 512 nats a sub-pixel."""
    train = with_column(episodes(4), "states", 1, lambda *_: 0.50)
    task = VideoTask("ot", {**MODEL, "relative_action": True}, PLAIN, train)
    torch.manual_seed(0)
    model = task.build_model()
    task.initialise(model, 0)

    def nats(height):
        one = with_column(episodes(1, first=9), "states", 1, lambda *_: height)[0]
        arrays = (torch.from_numpy(a)[None] for a in (one.frames, one.states, one.actions))
        with torch.no_grad():
            return -model.log_prob(*arrays).mean().item()

    assert abs(nats(0.51) - nats(0.50)) < 0.5


def matched(count, kind):
    """Episodes with two states and two actions that are poses, deltas or neither."""
    made = []
    for episode in episodes(count):
        rng = np.random.default_rng(len(made))
        length = len(episode.frames)
        states = 0.3 + np.cumsum(rng.normal(size=(length, 2)) * 0.01, axis=0)
        following = np.concatenate([states[1:], states[-1:]])
        actions = {
            "pose": following,
            "delta": following - states,
            "other": rng.normal(size=(length, 2)),
        }
        made.append(
            replace(episode, states=states.astype("f4"), actions=actions[kind].astype("f4"))
        )
    return made


@pytest.mark.parametrize("kind", ["pose", "delta", "other"])
@pytest.mark.parametrize("declared", [True, False])
def test_the_model_sees_action_minus_state_of_poses_alone(tmp_path: Path, kind, declared):
    metadata = {"action_kind": kind} if declared else {}
    path = write_store(tmp_path / "s", {"train": matched(30, kind)}, metadata)
    settings = {**MODEL, "relative_action": True}
    task = VideoTask("ot", settings, PLAIN, EpisodeStore(path, "train"))
    assert task.config.action_kind == kind
    assert task.config.sees_change == (kind == "pose")
    model = task.build_model()
    task.initialise(model, 0)
    inputs = [
        torch.from_numpy(a)[None] for a in (task.training[0].states, task.training[0].actions)
    ]
    vectors = model.vectors(*inputs)
    assert vectors.shape[-1] == (6 if kind == "pose" else 4)
    # Of Bridge's deltas, action minus state had a mean of -29.5.
    assert vectors.abs().max() < 10


def test_a_model_saved_before_the_question_takes_actions_for_poses():
    from pixelpush.vpn.config import VideoConfig

    config = VideoConfig(state_dim=5, action_dim=5, relative_action=True)
    assert config.action_kind == "pose"
    assert config.sees_change
    with pytest.raises(
        InputError, match="unknown action_kind 'speed'; choose one of pose, delta, other"
    ):
        VideoConfig(action_kind="speed")


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, {None}), (0.5, {None, OwnPast()}), (1.0, {OwnPast()})]
)
def test_a_share_of_the_steps_has_a_past_of_the_models_own_samples(share: float, expected: set):
    task = VideoTask("ot", MODEL, replace(PLAIN, own_samples=share), episodes(3))
    asked = []
    torch.manual_seed(0)
    for _ in range(20):
        task.losses(lambda *clip: asked.append(clip[4]), {})
    assert set(asked) == expected


def labelled(count: int) -> list[Episode]:
    """Episodes of 6 frames of 16x16 in which a square of 2x2 goes right by two pixels a frame, and
    another one rests."""
    found = []
    for plain in episodes(count):
        frames, seen = np.zeros((6, 3, 16, 16), np.uint8), np.zeros((6, 16, 16), np.uint8)
        seen[:, 12:14, 12:14] = 3
        for time in range(6):
            seen[time, 6:8, 2 * time : 2 * time + 2] = 2
        places = [[[2 * time + 0.5, 6.5, 1], [12.5, 12.5, 1]] for time in range(6)]
        extra = {"object_places": np.array(places, np.float32), "segmentation": seen}
        found.append(replace(plain, frames=frames, extra=extra))
    return found


def test_labels_say_where_objects_have_moved_since_the_last_given_frame():
    task = VideoTask("ot", MODEL, replace(PLAIN, own_samples=0.5, object_labels=True), labelled(3))
    _, example = task.example(seed=0, epoch=0, index=1)
    moved = example["moved"]
    assert moved.shape == (4, 16, 16)
    assert not moved[1].any()
    # Two pixels a frame: where it was, and where it is, with a pixel around each.
    rows, columns = np.nonzero(moved[3])
    assert (rows.min(), rows.max()) == (5, 8)
    assert columns.max() - columns.min() + 1 == 2 + 2 + 4
    assert moved[3].sum() == 4 * 8


def test_where_objects_have_moved_nothing_is_learnt_from_own_pasts():
    data = replace(PLAIN, own_samples=1.0, object_labels=True)
    task = VideoTask("ot", MODEL, data, labelled(2))
    asked = []
    task.losses(lambda *clip: asked.append(clip[4]), {"moved": torch.ones(1, 4, 16, 16).bool()})
    assert asked[0].unlearnt.all()
    # True pasts are learnt from whole.
    plain = VideoTask("ot", MODEL, replace(data, own_samples=1e-9), labelled(2))
    plain.losses(lambda *clip: asked.append(clip[4]), {"moved": torch.ones(1, 4, 16, 16).bool()})
    assert asked[1] is None


def test_labels_of_objects_are_asked_for_only_where_they_are_and_of_frames_as_recorded():
    with pytest.raises(InputError, match="has no object_places; only the simulated bin"):
        VideoTask("ot", MODEL, replace(PLAIN, own_samples=0.5, object_labels=True), episodes(1))
    # Of joined data sets a later one may have none.
    joined = [*labelled(1), *episodes(1)]
    task = VideoTask("ot", MODEL, replace(PLAIN, own_samples=0.5, object_labels=True), joined)
    with pytest.raises(InputError, match="episode episode-0 has no object_places"):
        task.example(seed=0, epoch=0, index=1)
    with pytest.raises(InputError, match="set own_samples too"):
        replace(PLAIN, object_labels=True)
    with pytest.raises(InputError, match="no mirror, no jitter"):
        replace(PLAIN, own_samples=0.5, object_labels=True, jitter=1)
