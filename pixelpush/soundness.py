"""Whether data stores, shipped weights and runs are sound, for ``pixelpush doctor``."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from pixelpush.datasets.records import content_hash
from pixelpush.datasets.root import data_root
from pixelpush.datasets.store import EpisodeStore, store_splits, summary
from pixelpush.errors import InputError
from pixelpush.files import leftovers, read_json
from pixelpush.finding import Finding
from pixelpush.saved import SHIPPED, complete_saves, find_saved
from pixelpush.training.save_integrity import verify_save
from pixelpush.vpn import load_model

# What preparing leaves beside a store while it runs, or for good if it was killed.
_LEFTOVERS = (".*.partial", ".*.new", ".*.old", ".*.working")


def data_stores(full: bool = False) -> Iterator[Finding]:
    """Space at the data root, each store under it, and what killed preparations left there.

    >>> next(data_stores()).sound
    True
    """
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
    for folder in folders:
        for pattern in _LEFTOVERS:
            yield from (_leftover(path) for path in sorted(folder.glob(pattern)))


def _leftover(path: Path) -> Finding:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
    return Finding(
        f"{path}: unfinished, {size:.1f} MB; remove it unless 'pixelpush prepare' is at work"
    )


def _folders(paths: Any) -> list[Path]:
    return sorted(path for path in paths if path.is_dir() and not path.name.startswith("."))


def _store(path: Path, full: bool) -> Iterator[Finding]:
    try:
        for split in store_splits(path):
            # Opening checks that every shard is there, whole, with the right number of records.
            store = EpisodeStore(path, split)
            if full:
                _read_all(store)
        yield from (Finding(line) for line in summary(path).splitlines())
    except InputError as error:
        yield Finding(str(error), sound=False)


def _read_all(store: Any) -> None:
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
    """The models that come with the package: each is built, and its weights read.

    >>> [finding.text for finding in shipped_weights(Path("nowhere"))]
    ['none in this installation']
    """
    models = sorted(file.parent for file in folder.glob("*/model.json"))
    if not models:
        yield Finding("none in this installation")
    yield from (_model(path, path.name) for path in models)


def _model(path: Path, name: str) -> Finding:
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
    """A run's saves, which of them is the best, and those that are damaged.

    >>> [finding.sound for finding in run_folder(Path("nowhere"))]
    [False]
    """
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
    folders = sorted((run / "checkpoints").iterdir())
    for save in (folder for folder in folders if not folder.name.startswith(".")):
        fault = _save_fault(save)
        if fault is None:
            sound.append(str(int(save.name)))
        else:
            yield fault
    yield Finding(f"sound saves, by examples: {', '.join(sound) or 'none'}", bool(sound))
    if (run / "best.json").is_file():
        yield _best_save(run)


def _save_fault(save: Path) -> Finding | None:
    """The fault of a folder among a run's saves; None where it is a sound save."""
    if not save.name.isdigit():
        damaged = save.name.startswith("damaged-")
        what = "set aside" if damaged else "no save by its name; left alone"
        return Finding(f"{save.name}: {what}", sound=not damaged)
    try:
        verify_save(save)
    except InputError as error:
        return Finding(str(error), sound=False)
    return None


def _best_save(run: Path) -> Finding:
    try:
        best = read_json(run / "best.json")
    except InputError as error:
        return Finding(str(error), sound=False)
    saves = [save.name for save in complete_saves(run)]
    if isinstance(best, dict) and best.get("save") in saves:
        return Finding(f"best: {best['save']}")
    return Finding("best: best.json names a save that is not there", sound=False)
