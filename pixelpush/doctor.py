"""What is installed, and whether data, weights and runs are sound. Light until it is called."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pixelpush
from pixelpush.errors import InputError
from pixelpush.saved import SHIPPED, complete_saves, find_saved

# What preparing leaves beside a store while it runs, or for good if it was killed.
_LEFTOVERS = (".*.partial", ".*.new", ".*.old", ".*.working")


@dataclass(frozen=True)
class Finding:
    """A line of the report. sound: whether all is well with what it names."""

    text: str
    sound: bool = True


def print_page(runs: Sequence[Path], full: bool) -> int:
    """Print the page: installation, devices, data stores, weights and runs. Returns the faults.

    full: read every episode of every store and compare its content hash."""
    sections: dict[str, Iterator[Finding]] = {
        "software": software(),
        "devices": devices(),
        "data": data_stores(full),
        "shipped weights": shipped_weights(),
        **{f"run {run}": run_folder(run) for run in runs},
    }
    faults = 0
    for title, findings in sections.items():
        print(title)
        for finding in findings:
            faults += not finding.sound
            print(("  " if finding.sound else "! ") + finding.text)
    return faults


def software() -> Iterator[Finding]:
    """Python, pixelpush, the packages it needs with the versions that it allows, and ffmpeg."""
    yield Finding(f"python {platform.python_version()}, {platform.platform()}")
    yield Finding(f"pixelpush {pixelpush.__version__}, {Path(pixelpush.__file__).parent}")
    try:
        needed = metadata.requires("pixelpush") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "pixelpush is not installed, so what it needs is not known: pip install -e .",
            sound=False,
        )
        needed = []
    yield from _packages(needed)
    yield _ffmpeg()


def _packages(needed: list[str]) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    for text in needed:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Finding(
                f"{requirement.name} is missing: pip install "
                f"'{requirement.name}{requirement.specifier}'",
                False,
            )
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        wanted = "" if fits else f", but {requirement.specifier} is needed"
        yield Finding(f"{requirement.name} {found}{wanted}", fits)


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        return Finding(
            f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}, {imageio_ffmpeg.get_ffmpeg_exe()}"
        )
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        return Finding(
            f"no ffmpeg, so no MP4 is written or read ({reason}): pip install imageio-ffmpeg",
            sound=False,
        )


def devices() -> Iterator[Finding]:
    """What torch can compute on."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding(
            f"torch does not load ({str(error).splitlines()[0]}); install it again", sound=False
        )
        return
    yield Finding(f"cpu, {torch.get_num_threads()} threads")
    try:
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            torch.zeros(1, device=f"cuda:{number}").add_(
                1
            ).cpu()  # a device that is listed may still not work
            yield Finding(
                f"cuda:{number} {about.name}, {about.total_memory / 2**30:.0f} GiB, CUDA "
                f"{torch.version.cuda}"
            )
    except RuntimeError as error:
        yield Finding(f"CUDA fails ({str(error).splitlines()[0]}); check the driver", sound=False)
    if torch.backends.mps.is_available():
        yield Finding("mps")


def data_stores(full: bool = False) -> Iterator[Finding]:
    """Space at the data root, each store under it, and what killed preparations left there."""
    from pixelpush.datasets.root import data_root

    root = data_root()
    there = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    yield Finding(
        f"{root}: {shutil.disk_usage(there).free / 1e9:.1f} GB free"
        + ("" if root.is_dir() else ", not made yet")
    )
    if not root.is_dir():
        return
    folders = [root, *_folders(root.glob("*")), *_folders(root.glob("*/*"))]
    stores = [file.parent for folder in folders for file in sorted(folder.glob("*/store.json"))]
    for store in stores:
        if not store.name.startswith("."):
            yield from _store(store, full)
    for leftover in (
        path
        for folder in folders
        for pattern in _LEFTOVERS
        for path in sorted(folder.glob(pattern))
    ):
        size = sum(file.stat().st_size for file in leftover.rglob("*") if file.is_file()) / 1e6
        yield Finding(
            f"{leftover}: unfinished, {size:.1f} MB; remove it unless 'pixelpush prepare' is at "
            "work"
        )


def _folders(paths: Any) -> list[Path]:
    return sorted(path for path in paths if path.is_dir() and not path.name.startswith("."))


def _store(path: Path, full: bool) -> Iterator[Finding]:
    from pixelpush.datasets.store import EpisodeStore, store_splits, summary

    try:
        for split in store_splits(path):
            store = EpisodeStore(
                path, split
            )  # every shard is there, whole, with the right number of records
            if full:
                _read_all(store)
        yield from (Finding(line) for line in summary(path).splitlines())
    except InputError as error:
        yield Finding(str(error), sound=False)


def _read_all(store: Any) -> None:
    from tqdm import tqdm

    from pixelpush.datasets.records import content_hash

    bar = tqdm(
        range(len(store)),
        desc=store.name,
        unit="episode",
        leave=False,
        disable=None,
        file=sys.stderr,
    )
    digests = "".join(content_hash(store[index]) for index in bar)
    if hashlib.sha256(digests.encode()).hexdigest() != store.content_sha256:
        raise InputError(
            f"{store.path}: split {store.split!r} is not what was written (content hash); prepare "
            "it again."
        )


def shipped_weights(folder: Path = SHIPPED) -> Iterator[Finding]:
    """The models that come with the package: each is built, and its weights read."""
    models = sorted(file.parent for file in folder.glob("*/model.json"))
    if not models:
        yield Finding("none in this installation")
    yield from (_model(path, path.name) for path in models)


def _model(path: Path, name: str) -> Finding:
    import torch

    from pixelpush.vpn import load_model

    try:
        family = find_saved(path).family
        weights = load_model(path).state_dict()
    except InputError as error:
        return Finding(str(error), sound=False)
    broken = [key for key, value in weights.items() if not bool(torch.isfinite(value).all())]
    if broken:
        return Finding(f"{name}: weight {broken[0]} is not finite", sound=False)
    return Finding(
        f"{name}: {family}, {sum(value.numel() for value in weights.values()) / 1e6:.2f}M "
        "numbers, sound"
    )


def run_folder(run: Path) -> Iterator[Finding]:
    """A run's saves, which of them is the best, and those that are damaged."""
    from pixelpush.files import leftovers, read_json
    from pixelpush.training.checkpoint import verify_save

    unfinished = leftovers(run)
    for leftover in unfinished:
        yield Finding(f"{leftover}: left by a command that was killed; the same command removes it")
    if not (run / "config.json").is_file() or not (run / "checkpoints").is_dir():
        # A folder of outputs is no fault: it may have been given for its leftovers.
        sound = run.is_dir() and not (run / "checkpoints").exists()
        what = "no run folder (that has config.json and checkpoints)"
        yield Finding(f"{run}: {what}, {len(unfinished)} leftovers", sound)
        return
    sound = []
    for save in sorted((run / "checkpoints").iterdir()):
        if not save.name.isdigit():
            if not save.name.startswith("."):
                damaged = save.name.startswith("damaged-")
                what = "set aside" if damaged else "no save by its name; left alone"
                yield Finding(f"{save.name}: {what}", sound=not damaged)
            continue
        try:
            verify_save(save)
            sound.append(save.name)
        except InputError as error:
            yield Finding(str(error), sound=False)
    yield Finding(
        f"sound saves, by examples: {', '.join(str(int(name)) for name in sound) or 'none'}",
        bool(sound),
    )
    if not (run / "best.json").is_file():
        return
    try:
        best: Any = read_json(run / "best.json")
        there = isinstance(best, dict) and best.get("save") in [
            save.name for save in complete_saves(run)
        ]
        yield Finding(
            f"best: {best['save'] if there else 'best.json names a save that is not there'}", there
        )
    except InputError as error:
        yield Finding(str(error), sound=False)
