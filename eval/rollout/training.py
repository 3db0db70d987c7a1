"""Training with film strips of sampled futures on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.eval.rollout.sampling import file_stem, rollout_episode
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.video import rollout_strip
from pixelpush.training.commands import configure, open_video_split, run_training
from pixelpush.training.config import RunOptions
from pixelpush.training.loop import DrawSamples
from pixelpush.training.options import PresetChanges, TrainingData
from pixelpush.vpn import VideoPixelNetwork


def train_with_strips(
    preset: str,
    data: TrainingData,
    run: Path,
    changes: PresetChanges,
    settings: Sequence[str],
    options: RunOptions,
) -> None:
    """Train as ``run_training`` does; draw strips at the intervals of ``options.sample_examples``.

    Raises InputError where strips are asked for of a model that is not a video model.

    >>> asked = RunOptions(sample_examples=8)
    >>> data = TrainingData("objects")
    >>> train_with_strips("objects-multiscale", data, Path("run"), PresetChanges(), [], asked)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --sample-examples draws futures, of video models only; try ...
    """
    wanted = options.sample_examples > 0
    draw = strips(preset, data, changes, settings) if wanted else None
    run_training(preset, data, run, changes, settings, options, draw)


def strips(
    preset: str, data: TrainingData, changes: PresetChanges, settings: Sequence[str]
) -> DrawSamples:
    """What draws strips of the first validation episodes, else of the first training ones.

    Raises InputError for a preset of another family.

    >>> strips("objects-multiscale", TrainingData("objects"), PresetChanges(), [])
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --sample-examples draws futures, of video models only; try ...
    """
    chosen, model_settings, config = configure(preset, changes, settings)
    if chosen.family != "video":
        raise InputError(
            "--sample-examples draws futures, of video models only; try 'pixelpush sample' on a "
            "save."
        )
    overrides = {**chosen.overrides, **model_settings}
    episodes = open_video_split(data.data, data.held_out, overrides)
    sampling = RolloutSettings(samples=3, seed=config.seed)
    return strips_while_training(episodes, sampling, config.data.context)


def strips_while_training(
    episodes: EpisodeDataset, settings: RolloutSettings, context: int, count: int = 2
) -> Callable[[nn.Module, Path], None]:
    """What ``training.loop.train`` takes as ``draw_samples``: strips of the first episodes.

    context: frames given. count: how many episodes are drawn. Sampling happens where the model
    lies.

    >>> import tempfile
    >>> import numpy as np
    >>> from pixelpush.datasets.episodes import Episode
    >>> from pixelpush.vpn import build_model
    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> draw = strips_while_training([episode], RolloutSettings(samples=1), context=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(build_model("ot", frame_size=8, coarse_scales=0), Path(folder))
    ...     [file.name for file in Path(folder).iterdir()]
    ['0000-a.png']
    """

    def draw(model: nn.Module, folder: Path) -> None:
        assert isinstance(model, VideoPixelNetwork)
        was_training = model.training
        model.eval()
        for number in range(min(count, len(episodes))):
            episode = episodes[number]
            title = f"{episode.id} · {folder.name} examples"
            video, _ = rollout_episode(model, episode, number, settings, title, context)
            write_png(folder / f"{file_stem(number, episode.id)}.png", rollout_strip(video))
        model.train(was_training)

    return draw
