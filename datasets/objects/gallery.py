"""Contact sheets of sim-objects: every kind in every colour, and images of every split.

python -m pixelpush.datasets.objects.gallery docs/gallery/images
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pixelpush.datasets.objects.generate import generate_image
from pixelpush.datasets.objects.names import COLOURS, KINDS, NAME, SPLITS
from pixelpush.datasets.objects.renderer import ObjectRenderer
from pixelpush.datasets.objects.scenes import Layout, Placed, build_scene, layout_of
from pixelpush.datasets.objects.things import make_thing, reach
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.gallery import sheet
from pixelpush.datasets.sim.rotations import about
from pixelpush.files import atomic_file

_TURN = about((0, 0, 1), 0.7)
_COLUMNS = 12


def sheets() -> Iterator[tuple[str, np.ndarray]]:
    """Name and picture, uint8 (height, width, 3), of every sheet, made one at a time.

    >>> made = sheets()
    >>> made is iter(made)
    True
    """
    yield "kinds", sheet([[_alone(kind, c) for kind in range(len(KINDS))] for c in _few_colours()])
    for size in (32, 128):
        rows = [
            [generate_image(NAME, split, number, size).frames[0] for number in range(_COLUMNS)]
            for split in SPLITS
        ]
        yield f"splits-{size}", sheet(rows, scale=max(1, 96 // size))


def _few_colours() -> range:
    return range(0, len(COLOURS), 2)


def _alone(kind: int, colour: int) -> np.ndarray:
    """An object of a kind and a colour by itself, 64 pixels."""
    thing = make_thing(kind, colour, Draw("gallery", kind, colour))
    low = reach(thing, _TURN)[0]
    placed = Placed(thing, np.array([0.0, 0.0, -low[2]]), _TURN)
    like = layout_of("train", 1)
    # In the middle: the layout's own camera looks a little aside.
    camera = replace(like.camera, target=(0.0, 0.0, 0.02), roll=0.0)
    layout = Layout((placed,), floor=0, floor_turn=0.3, light=like.light, camera=camera)
    return ObjectRenderer(build_scene(layout)).image(64)[0]


def write_sheets(out: Path) -> list[Path]:
    """Write every sheet as a JPEG into a folder, and return their paths.

    >>> from unittest import mock
    >>> import tempfile
    >>> one = [("kinds", np.zeros((8, 8, 3), np.uint8))]
    >>> with tempfile.TemporaryDirectory() as folder, mock.patch(f"{__name__}.sheets", lambda: one):
    ...     [path.name for path in write_sheets(Path(folder))]
    ['objects-kinds.jpg']
    """
    import cv2

    written = []
    for name, picture in sheets():
        path = out / f"objects-{name}.jpg"
        flags = [cv2.IMWRITE_JPEG_QUALITY, 90]
        with atomic_file(path) as partial:
            partial.write_bytes(cv2.imencode(".jpg", picture[..., ::-1], flags)[1].tobytes())
        written.append(path)
    return written


def main() -> int:
    """Write the sheets and print their paths; returns the exit code.

    >>> from unittest import mock
    >>> with mock.patch.object(sys, "argv", ["gallery"]), mock.patch.object(sys, "stderr"):
    ...     main()
    Traceback (most recent call last):
    SystemExit: 2
    """
    parser = argparse.ArgumentParser(description="Contact sheets of sim-objects.")
    parser.add_argument("out", type=Path, help="folder to write to")
    for path in write_sheets(parser.parse_args().out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
