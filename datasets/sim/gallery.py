"""Contact sheets of the simulated bin: every station of each laboratory, both pools of objects,
every split, at 64 and at 256 pixels.

python -m pixelpush.datasets.sim.gallery docs/gallery
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from pixelpush.datasets.sim.arm import HELD_OUT
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.generate import renderer_of, simulate_episode
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.names import LABORATORIES, SPLITS
from pixelpush.datasets.sim.objects import POOL_SIZES
from pixelpush.datasets.sim.physics import simulate
from pixelpush.datasets.sim.renderer import Renderer
from pixelpush.datasets.sim.scene import build_scene
from pixelpush.datasets.sim.splits import EPISODES_PER_FILLING
from pixelpush.datasets.sim.stations import STATIONS
from pixelpush.files import atomic_file

_GAP = 2  # white pixels between frames
_STATIONS = [
    *(("train", station * EPISODES_PER_FILLING) for station in range(HELD_OUT)),
    ("test-seen", 0),
]


def sheet(rows: Sequence[Sequence[np.ndarray]], scale: int = 1) -> np.ndarray:
    """Frames uint8 (3, H, W), enlarged by ``scale``, in rows on white: uint8 (height, width, 3).

    >>> sheet([[np.zeros((3, 4, 4), np.uint8)] * 2], scale=2).shape
    (10, 20, 3)
    """
    lines = []
    for row in rows:
        tiles = [
            frame.transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1) for frame in row
        ]
        padded = [
            np.pad(tile, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for tile in tiles
        ]
        lines.append(np.concatenate(padded, axis=1))
    return np.concatenate(lines, axis=0)


def _strip(laboratory: str, split: str, number: int, size: int, count: int) -> list[np.ndarray]:
    """``count`` frames of an episode, evenly spaced, the first and the last among them."""
    rollout = simulate_episode(laboratory, split, number)
    renderer = renderer_of(laboratory, split, number, size)
    last = len(rollout.configurations) - 1
    moments = [round(k * last / max(1, count - 1)) for k in range(count)]
    return [renderer.frame(rollout.configurations[t], rollout.moved[t])[0] for t in moments]


def _pool_frames(pool: str, size: int) -> list[np.ndarray]:
    """A frame for every twelve objects of a pool, so that each is seen once."""
    frames = []
    for start in range(0, POOL_SIZES[pool], 12):
        objects = tuple(range(start, min(start + 12, POOL_SIZES[pool])))
        scene = build_scene(STATIONS[0], pool, objects)
        rollout = simulate(scene, kinematics_of(scene.arm), Draw("gallery", pool, start))
        made, _ = Renderer(scene, size).frame(rollout.configurations[0], rollout.moved[0])
        frames.append(made)
    return frames


def sheets() -> Iterator[tuple[str, np.ndarray]]:
    """Name and picture, uint8 (height, width, 3), of every sheet, made one at a time.

    >>> made = sheets()
    >>> made is iter(made)
    True
    """
    for name in LABORATORIES:
        yield f"{name}_64", sheet([_strip(name, *at, 64, 8) for at in _STATIONS], scale=2)
        first = [_strip(name, *at, 256, 1)[0] for at in (*_STATIONS, ("test-novel", 0))]
        yield f"{name}_256", sheet([first[:4], first[4:8], first[8:]])
    for pool in POOL_SIZES:
        yield f"objects_{pool}_256", sheet([_pool_frames(pool, 256)])
    for split in SPLITS:
        numbers = [1 + k * EPISODES_PER_FILLING for k in range(6)]
        rows = [_strip("sim", split, number, 64, 10) for number in numbers]
        yield f"{split}_64", sheet(rows, scale=2)
        yield (
            f"{split}_256",
            sheet([_strip("sim", split, number, 256, 4) for number in numbers[:2]]),
        )


def main() -> int:
    """Write every sheet as a JPEG into a folder; returns the exit code.

    >>> from unittest import mock
    >>> with mock.patch.object(sys, "argv", ["gallery"]), mock.patch.object(sys, "stderr"):
    ...     main()
    Traceback (most recent call last):
    SystemExit: 2
    """
    parser = argparse.ArgumentParser(description="Contact sheets of the simulated bin.")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--png", action="store_true", help="write PNG, lossless, instead of JPEG")
    options = parser.parse_args()
    ending, flags = (".png", []) if options.png else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 88])
    for name, picture in sheets():
        with atomic_file(options.out / (name + ending)) as partial:
            partial.write_bytes(cv2.imencode(ending, picture[..., ::-1], flags)[1].tobytes())
        print(options.out / (name + ending))
    return 0


if __name__ == "__main__":
    sys.exit(main())
