"""What 'pixelpush prepare sim-objects' runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pixelpush.datasets.objects.names import SPLITS, check_request
from pixelpush.datasets.store import summary


@dataclass(frozen=True)
class ObjectsOptions:
    """Options of ``pixelpush prepare sim-objects``.

    Example:
        >>> ObjectsOptions(images=1000).size
        32
    """

    images: int = 20_000
    """Images of train; image i is the same whatever their number."""
    size: int = 32
    """Height and width of the images, in pixels: 32, 64, 128 or 256."""
    workers: int = os.cpu_count() or 1
    """Processes that make images at the same time."""
    test_images: int | None = None
    """Images of val, test-seen and test-novel each; by default a tenth of --images, at least 64
    and at most 1000."""
    root: Path | None = None
    """Folder to put it in; by default the data root ($PIXELPUSH_DATA, else ~/.cache/pixelpush)."""
    rebuild: bool = False
    """Replace stores, also those that another version made."""


def prepare_objects(options: ObjectsOptions) -> None:
    """Make sim-objects, all splits: images of the simulator's objects with all their labels.

    These are class, captions, parts and masks. Run it again to go on after a kill, or to get more
    images.

    Example:
        >>> prepare_objects(ObjectsOptions(size=100))
        Traceback (most recent call last):
        pixelpush.errors.InputError: sim-objects: images are 32, 64, 128, 256 pixels high and ...
    """
    # It loads the physics, which 'prepare' of recordings does without.
    from pixelpush.datasets.objects.prepare import ensure_images, others

    few = others(options.images) if options.test_images is None else options.test_images
    counts = {split: options.images if split == "train" else few for split in SPLITS}
    for split, count in counts.items():
        check_request(split, options.size, count)
    for split, count in counts.items():
        path = ensure_images(
            split,
            options.size,
            count,
            workers=options.workers,
            root=options.root,
            rebuild=options.rebuild,
        )
        print(summary(path))
