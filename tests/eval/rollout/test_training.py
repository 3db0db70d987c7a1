"""``pixelpush train`` draws strips of futures on the way, and they change nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from flat_options import build, change

from pixelpush.cli.train import TrainOptions, train
from pixelpush.errors import InputError
from pixelpush.eval.rollout.training import strips
from pixelpush.training.options import PresetChanges, TrainingData

SMALL = (
    "channels=8",
    "encoder_blocks=1",
    "coarse_scales=0",
    "lstm_channels=4",
    "decoder_blocks=1",
    "components=2",
)


def options(store: Path, run: Path, **more) -> TrainOptions:
    settings = {
        "examples": 8,
        "batch_size": 2,
        "clip_frames": 5,
        "validation_items": 1,
        "save_examples": 4,
        "settings": SMALL,
        "accelerator": "cpu",
        "quiet": True,
    }
    given = {**settings, **more}
    return build(TrainOptions, preset="push-ot-small", data=str(store), run=run, **given)


def test_strips_are_drawn_at_intervals_and_change_nothing(store: Path, tmp_path: Path):
    train(options(store, tmp_path / "plain"))
    train(options(store, tmp_path / "drawn", sample_examples=4))
    assert not (tmp_path / "plain" / "samples").exists()
    drawn = sorted(
        path.relative_to(tmp_path / "drawn").as_posix()
        for path in (tmp_path / "drawn").rglob("*.png")
    )
    # two validation episodes, after each four examples and at the end
    assert drawn == [
        f"samples/{examples:010d}/000{n}-push_{10 + n}.png" for examples in (4, 8) for n in (0, 1)
    ]
    pictures = [cv2.imread(str(tmp_path / "drawn" / path)) for path in drawn]
    assert all(picture is not None and picture.std() > 0 for picture in pictures)
    last = Path("checkpoints/0000000008/train.safetensors")
    assert (tmp_path / "plain" / last).read_bytes() == (tmp_path / "drawn" / last).read_bytes()


def test_without_validation_the_training_episodes_are_drawn(store: Path, tmp_path: Path):
    train(options(store, tmp_path, examples=2, validation_split="none", sample_examples=2))
    names = sorted(path.name for path in (tmp_path / "samples" / "0000000002").iterdir())
    assert names == ["0000-push_0.png", "0001-push_1.png"]


def test_other_families_say_where_to_turn(store: Path, tmp_path: Path):
    command = options(store, tmp_path / "run", settings=(), sample_examples=1)
    with pytest.raises(InputError, match="of video models only"):
        train(change(command, preset="push-upscale-128"))


def test_simulated_strips_have_the_size_of_the_model(tmp_path: Path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "pixelpush.training.commands.open_dataset",
        lambda *data, **size: asked.append((data, size)),
    )
    strips("push-ot-small", TrainingData("sim"), PresetChanges(), ["frame_size=128"])
    assert asked == [(("sim", "val"), {"size": 128})]
