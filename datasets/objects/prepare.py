"""Making what is missing of ``sim-objects``: a store for each size and split under the data root,
grown when more images are asked for."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pixelpush.datasets.objects.generate import identity
from pixelpush.datasets.objects.names import NAME, check_request
from pixelpush.datasets.root import data_root
from pixelpush.datasets.sim.prepare import only_one, take_up
from pixelpush.datasets.sim.workers import Job, make_shards
from pixelpush.datasets.store import finished_shards, read_description, seal_store
from pixelpush.errors import InputError
from pixelpush.files import expanded, full_disk_is_a_clear_error, is_complete
from pixelpush.progress import progress_kept

FIRST_TRAINING = 2000  # images of train, where none are prepared and no number is given
_MAKER = "pixelpush.datasets.objects.generate:generate_image"


def others(training: int) -> int:
    """Images of val, test-seen and test-novel each, beside so many of train.

    >>> others(100), others(2000), others(20_000)
    (64, 200, 1000)
    """
    return min(1000, max(64, training // 10))


def first_images(split: str) -> int:
    """How many images are made where none are prepared and no number is given.

    >>> first_images("train"), first_images("val")
    (2000, 200)
    """
    return FIRST_TRAINING if split == "train" else others(FIRST_TRAINING)


def ensure_images(
    split: str,
    size: int = 32,
    images: int | None = None,
    *,
    workers: int = 1,
    root: Path | None = None,
    rebuild: bool = False,
) -> Path:
    """The path of a finished store with at least so many images; what is missing is made.

    A line on stderr says so. Without ``images``, what is there will do; where nothing is,
    ``first_images`` are made. May be repeated after a kill at any moment, and called by several
    processes at once. Raises InputError for bad values, a store of another version (unless
    ``rebuild``), a full disk.

    >>> ensure_images("train", workers=0)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim-objects: workers must be at least 1, not 0.
    """
    check_request(split, size, 1 if images is None else images)
    if workers < 1:
        raise InputError(f"{NAME}: workers must be at least 1, not {workers}.")
    folder = data_root() if root is None else expanded(root)
    path = folder / NAME / str(size) / split
    least = 1 if images is None else images
    if not rebuild and _finished(path, split, size) >= least:
        return path
    with full_disk_is_a_clear_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_one(path):
            if rebuild and path.exists():
                shutil.rmtree(path)
            # Perhaps made by the process that this one waited for.
            if _finished(path, split, size) < least:
                count = first_images(split) if images is None else images
                _make(path, split, size, count, workers)
    return path


def _finished(path: Path, split: str, size: int) -> int:
    """How many images the store at ``path`` holds, 0 if there is none; another version's is
    refused."""
    if not is_complete(path):
        return 0
    description = read_description(path)
    if description.metadata.get("identity", {}).get("hash") != identity(size)["hash"]:
        raise InputError(
            f"{path}: made by another version of {NAME}; 'pixelpush prepare {NAME} --size {size} "
            "--rebuild' makes it anew."
        )
    return description.splits[split].episodes


def _make(path: Path, split: str, size: int, images: int, workers: int) -> None:
    """Make the missing shards in a working folder beside ``path``, then turn it into the store."""
    working = path.with_name(f".{path.name}.working")
    earlier = str(path) if is_complete(path) else ""
    per_shard = max(16, min(256, images // 16))
    job = Job(str(working), NAME, split, size, images, per_shard, earlier, _MAKER)
    take_up(working, {"identity": identity(size), "images": images})
    done = finished_shards(working)
    missing = [index for index in range(job.shards()) if (split, index) not in done]
    made = sum(len(shard.ids) for shard in done.values())
    print(
        f"{NAME}/{split}: making {images - made} images of {size}x{size} in {path}",
        file=sys.stderr,
        flush=True,
    )
    with progress_kept(images, f"{NAME}/{split}", made) as advance:
        make_shards(job, missing, workers, lambda: advance(1))
    (working / "plan.json").unlink(missing_ok=True)
    about = {
        "source": "simulated objects",
        "identity": identity(size),
        "noise": "none; added on reading",
    }
    seal_store(working, path, about, overwrite=path.exists())
