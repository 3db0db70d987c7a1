"""Several data sets trained on as one."""

from pathlib import Path

import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode, identity
from pixelpush.datasets.joined import JoinedEpisodes
from pixelpush.datasets.store import EpisodeStore, write_store
from pixelpush.errors import InputError
from pixelpush.training.commands import configure, open_task, run_training
from pixelpush.training.config import RunOptions
from pixelpush.training.options import PresetChanges, TrainingData
from pixelpush.training.presets import find_preset


def made(folder: Path, lengths: list[int], size: int = 16, kind: str | None = None) -> Path:
    """A store whose frames say which episode and time they are of."""

    def episodes(first: int):
        for number, length in enumerate(lengths):
            frames = np.full((length, 3, size, size), 10 * (first + number), np.uint8)
            frames += np.arange(length, dtype=np.uint8)[:, None, None, None]
            rows = np.arange(2 * length, dtype=np.float32).reshape(length, 2)
            yield Episode(frames, rows, rows, f"{folder.name}-{number}")

    first = len(folder.name)
    metadata = {} if kind is None else {"action_kind": kind}
    write_store(folder, {"train": episodes(first), "val": episodes(first + 5)}, metadata)
    return folder


def test_episodes_follow_each_other(tmp_path: Path):
    parts = [
        EpisodeStore(made(tmp_path / name, lengths), "train")
        for name, lengths in (("a", [3, 4]), ("bb", [5]))
    ]
    joined = JoinedEpisodes(parts)
    assert [joined[number].id for number in range(len(joined))] == ["a-0", "a-1", "bb-0"]
    assert joined.lengths.tolist() == [3, 4, 5]
    assert joined[-1].id == "bb-0"
    clip = joined.read(2, 1, 3).frames
    assert (clip == parts[1][0].frames[1:3]).all()
    with pytest.raises(IndexError):
        joined[3]


def test_the_identity_tells_parts_and_their_order(tmp_path: Path):
    a, b = (EpisodeStore(made(tmp_path / name, [3]), "train") for name in ("a", "bb"))
    found = {identity(JoinedEpisodes(parts))["content"] for parts in ([a, b], [b, a], [a, a])}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("size", "kind", "aspect"), [(32, "pose", "schema"), (16, "delta", "action_kind")]
)
def test_unlike_episodes_are_refused(tmp_path: Path, size: int, kind: str, aspect: str):
    one = EpisodeStore(made(tmp_path / "one", [3], kind="pose"), "train")
    other = EpisodeStore(made(tmp_path / "other", [3], size, kind), "train")
    with pytest.raises(InputError, match=f"differ in their {aspect}.*one/train.*other/train"):
        JoinedEpisodes([one, other])


def test_a_run_is_named_after_the_first_and_validated_on_it(tmp_path: Path):
    a, b = made(tmp_path / "a", [4, 4]), made(tmp_path / "bb", [4, 4, 4])
    source = TrainingData(str(a), also=(str(b),))
    settings = ["channels=8", "data.clip_frames=4", "data.drawing_episodes=1"]
    preset, model, config = configure("push-ot-small", PresetChanges(), settings)
    task = open_task(preset, model, config.data, source)
    assert task.examples_per_epoch == 5
    described = task.describe()
    assert described["training"] == identity(EpisodeStore(a, "train"))
    assert described["also"] == [identity(EpisodeStore(b, "train"))]
    assert described["validation"] == identity(EpisodeStore(a, "val"))
    assert "also" not in open_task(preset, model, config.data, TrainingData(str(a))).describe()
    names = {task.example(0, 0, index)[0] for index in range(5)}
    assert names == {"a-0", "a-1", "bb-0", "bb-1", "bb-2"}


def test_image_sets_are_not_joined(tmp_path: Path):
    source = TrainingData("cifar10", also=("cifar10",))
    with pytest.raises(InputError, match="--also: episodes can be joined, image sets cannot"):
        run_training("cifar-small-pixelcnn", source, tmp_path, PresetChanges(), (), RunOptions())
    assert find_preset("cifar-small-pixelcnn").family == "image"
