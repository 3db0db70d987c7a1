"""The moving pictures of docs/driving.md and docs/planning.md.

python -m experiments.acting_films
python -m experiments.acting_films --model runs/mine --task 7

A drive by fixed keys beside the real physics, and the model's planner on one task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from pixelpush.errors import InputError
from pixelpush.eval.driving.session import Session, Source, View
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.commands import load_world
from pixelpush.eval.planning.control import run_task
from pixelpush.eval.planning.film import film_frames
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.settings import ModelSettings
from pixelpush.eval.planning.tasks import read_tasks
from pixelpush.eval.rollout.drawing import FAINT, Canvas, enlarge, heat_map
from pixelpush.eval.rollout.mp4 import write_gif

LARGEST_BYTES = 2_000_000  # of one GIF: the pages stay light
FRAMES_PER_SECOND = 5
REST = 5  # frames that the end is shown for
# What is held, and for how many frames: the first two entries of the action.
KEYS = (((1.0, 0.0), 8), ((0.0, 1.0), 6), ((-1.0, 0.0), 8), ((0.0, -1.0), 6))
_FACTOR, _GAP, _TOP, _BOTTOM = 3, 8, 24, 26
_MOST_NATS = 8.0  # a pixel, the brightest of the heat map


@dataclass(frozen=True)
class Options:
    """What to film."""

    model: str = "push-ot-small"
    """A shipped model or a run folder that suits the simulated bin."""
    split: str = "val"
    """Of both films."""
    episode: int = 2
    """Episode that the drive begins as."""
    task: int = 0
    """Task of the planner."""
    out: Path = Path("docs/gallery")
    """Folder for drive.gif and plan.gif."""
    threads: int = 1
    """Threads on a CPU."""


def main(options: Options) -> None:
    """Write both films and say how large they are."""
    torch.set_num_threads(options.threads)
    films = {"drive.gif": driven, "plan.gif": planned}
    for name, film in films.items():
        path = options.out / name
        write_film(path, film(options))
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def write_film(path: Path, pictures: np.ndarray) -> None:
    """uint8 (T, H, W, 3) as a GIF whose end stays for a second; a large one is refused."""
    rest = np.repeat(pictures[-1:], REST, axis=0)
    write_gif(path, np.concatenate([pictures, rest]), FRAMES_PER_SECOND)
    if path.stat().st_size > LARGEST_BYTES:
        raise InputError(
            f"{path}: {path.stat().st_size / 1e6:.1f} MB, more than {LARGEST_BYTES / 1e6:.0f}; "
            "film fewer frames."
        )


def driven(options: Options) -> np.ndarray:
    """uint8 (T, H, W, 3): predicted, how unsure the model is, and the real physics."""
    world = load_world(ModelSettings(options.model))
    session = Session(world.model, Source("sim", options.split, options.episode))
    held = np.zeros(world.model.config.action_dim, np.float32)
    pictures = [panels(session.view())]
    for keys, frames in KEYS:
        held[:2] = keys
        pictures += [panels(session.step(held)) for _ in range(frames)]
    return np.stack(pictures)


def panels(view: View) -> np.ndarray:
    """One picture of a drive, uint8 (H, W, 3)."""
    assert view.real is not None
    heat = heat_map(view.heat, 0.0, _MOST_NATS)
    shown = {"predicted": view.frame, "unsure": heat, "real physics": view.real}
    cell = _FACTOR * view.frame.shape[-1]
    canvas = Canvas(len(shown) * (cell + _GAP) + _GAP, _TOP + cell + _BOTTOM)
    for number, (name, frame) in enumerate(shown.items()):
        left = _GAP + number * (cell + _GAP)
        canvas.text((left, _TOP - 7), name, 13, "ls", bold=True)
        canvas.paste((left, _TOP), enlarge(frame, _FACTOR))
    text = f"frame {view.number}: {view.distance:.1f} levels apart"
    canvas.text((_GAP, _TOP + cell + 7), text, 12, fill=FAINT)
    return canvas.pixels()


def planned(options: Options) -> np.ndarray:
    """uint8 (T, H, W, 3): what happened on the task, and what the plans expected."""
    task = read_tasks(options.split)[options.task]
    bin = PushingBin("sim", task.split, task.episode)
    setup = Setup(world=load_world(ModelSettings(options.model)))
    return film_frames(run_task(METHODS.find("model").build(bin, task, setup)))


if __name__ == "__main__":
    main(tyro.cli(Options))
