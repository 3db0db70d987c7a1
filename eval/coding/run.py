"""Carry out ``pixelpush compress`` and ``pixelpush decompress``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.episodes import Episode, EpisodeDataset, Prefix
from pixelpush.datasets.image_sets import open_images
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
from pixelpush.eval.coding.arithmetic import threads
from pixelpush.eval.coding.entropy import constriction
from pixelpush.eval.coding.files import (
    CodedFile,
    CodedSplit,
    Sizes,
    compress_episodes,
    compress_images,
)
from pixelpush.eval.coding.settings import CompressSettings
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, split_names
from pixelpush.eval.text import text_table
from pixelpush.files import atomic_file, write_json
from pixelpush.image import Condition, ImageModel
from pixelpush.progress import Progress
from pixelpush.saved import find_saved
from pixelpush.training.image_batches import check_fits, read_images
from pixelpush.vpn import load_model


def compress(
    name: str,
    data: str,
    splits: Sequence[str],
    out: Path,
    settings: CompressSettings,
    progress: Progress,
    json: Path | None = None,
) -> None:
    """Code splits of a data or image set with a saved model; print where the bytes went.

    >>> from pixelpush.progress import silent
    >>> compress("no-such-model", "sim", (), Path("a.coded"), CompressSettings(), silent)
    Traceback (most recent call last):
    pixelpush.errors.InputError: no-such-model: neither a run folder, a saved model nor ...
    """
    constriction()  # a missing package is said before data are made or read
    with threads(settings.threads):
        if find_saved(name).family == "image":
            sizes = {"images": _compress_images(name, data, splits, out, settings, progress)}
        else:
            sizes = _compress_episodes(name, data, splits, out, settings, progress)
    if json is not None:
        write_json(json, {split: asdict(found) for split, found in sizes.items()})
    for split, found in sizes.items():
        print(f"{out}: {found.episodes} of {split}")
        print(sizes_text(found))


def _compress_episodes(
    name: str,
    data: str,
    splits: Sequence[str],
    out: Path,
    settings: CompressSettings,
    progress: Progress,
) -> dict[str, Sizes]:
    facts = agreed_facts([name], data, settings.context, settings.clip_frames)
    model = load_model(name, family="video")
    opened: dict[str, EpisodeDataset] = {
        split: open_split(facts.data, split, model.config.frame_size)
        for split in splits or split_names(facts.data)[-1:]
    }
    if settings.episodes is not None:
        opened = {split: Prefix(whole, settings.episodes) for split, whole in opened.items()}
    with progress(sum(len(episodes) for episodes in opened.values()), "coding") as advance:
        return compress_episodes(
            model,
            opened,
            out,
            name=name,
            context=facts.context,
            clip_frames=facts.clip_frames,
            metadata={"data": facts.data},
            progress=advance,
        )


def _compress_images(
    name: str,
    data: str,
    splits: Sequence[str],
    out: Path,
    settings: CompressSettings,
    progress: Progress,
) -> Sizes:
    if not data or len(splits) > 1:
        raise InputError(
            "image models code one split of an image set: give --data and one --split."
        )
    model = load_model(name, family="image")
    images = open_images(data, splits[0] if splits else "test", size=model.config.image_size)
    check_fits(model.config, images)
    count = len(images) if settings.episodes is None else min(settings.episodes, len(images))

    def batches() -> Iterator[tuple[np.ndarray, Condition | None]]:
        for first in range(0, count, settings.batch_size):
            indices = range(first, min(first + settings.batch_size, count))
            batch, condition = read_images(model.config, images, indices)
            yield batch.numpy(), condition

    with progress(count, "coding") as advance:
        return compress_images(model, batches(), out, name=name, progress=advance)


def sizes_text(sizes: Sizes) -> str:
    """Where the bytes went, and how the coded part compares with the likelihood.

    >>> sizes_text(Sizes(nats=100.0, subpixels=192, code_bytes=19)).splitlines()[-1]
    'coded frames: 0.7917 bits per sub-pixel; the likelihood says 0.7514 (+5.358%)'
    """
    rows = [
        ("coded frames", sizes.code_bytes),
        ("given frames, lossless stills", sizes.context_bytes),
        ("states and actions, or conditions", sizes.vector_bytes),
        ("ids, sizes, checksums", sizes.about_bytes),
        ("the whole file, all splits", sizes.file_bytes),
    ]
    table = text_table(["", "bytes"], [[label, f"{count:,}"] for label, count in rows if count])
    ideal = sizes.nats / math.log(2) / 8
    bits = sizes.nats / math.log(2) / sizes.subpixels
    return (
        f"{table}\ncoded frames: {sizes.code_bytes * 8 / sizes.subpixels:.4f} bits per sub-pixel; "
        f"the likelihood says {bits:.4f} ({sizes.code_bytes / ideal - 1:+.3%})"
    )


def decompress(
    path: Path,
    name: str,
    out: Path,
    splits: Sequence[str],
    episodes: Sequence[int],
    progress: Progress,
) -> None:
    """Decode a file into a store of episodes, or an image file into one NPY.

    name: the model; '' for the one that the header names. episodes: only these numbers of each
    split; empty for all.

    >>> from pixelpush.progress import silent
    >>> decompress(Path("no-such-file"), "", Path("store"), (), (), silent)
    Traceback (most recent call last):
    pixelpush.errors.InputError: no-such-file: no such file; name one of 'pixelpush compress'.
    """
    constriction()
    file = CodedFile(path, lambda own: _load(name or own, path))
    if isinstance(file.model, ImageModel):
        _decompress_images(file, out, progress)
        return
    opened = [(split, file.split(split)) for split in splits or file.splits]
    chosen = {split: _numbers(found, episodes) for split, found in opened}
    with progress(sum(map(len, chosen.values())), "decoding") as advance:

        def decoded(split: CodedSplit, numbers: Sequence[int]) -> Iterator[Episode]:
            for number in numbers:
                yield split[number]
                advance(1)

        write_store(
            out,
            {split: decoded(found, chosen[split]) for split, found in opened},
            {**file.data, "source": "pixelpush decompress", "coded_with": file.model_name},
        )
    print(f"{out}: {', '.join(f'{len(n)} of {split}' for split, n in chosen.items())}")


def _numbers(split: CodedSplit, episodes: Sequence[int]) -> Sequence[int]:
    for number in episodes:
        if not 0 <= number < len(split):
            raise InputError(f"--episodes {number}: {split.name} has 0 to {len(split) - 1}.")
    return episodes or range(len(split))


def _decompress_images(file: CodedFile, out: Path, progress: Progress) -> None:
    if out.suffix != ".npy":
        raise InputError(f"--out {out}: images are written as one array; end the name in .npy.")
    batches = []
    with progress(len(file.batches), "decoding") as advance:
        for batch in file.images():
            batches.append(batch)
            advance(1)
    with atomic_file(out) as partial:
        np.save(partial, np.concatenate(batches))
    print(f"{out}: {sum(map(len, batches))} images")


def _load(name: str, path: Path) -> Any:
    if not name:
        raise InputError(f"{path}: does not name its model; give it with --model.")
    return load_model(name)
