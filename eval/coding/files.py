"""Whole splits in one coded file: writing it, opening it, checking it against its header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.coding.arithmetic import (
    Arithmetic,
    check_arithmetic,
    check_on_cpu,
    model_sha256,
    this_arithmetic,
    threads,
)
from pixelpush.eval.coding.container import Reader, Writer, damaged, writing
from pixelpush.eval.coding.episodes import CodedEpisode, decode_episode, encode_episode
from pixelpush.eval.coding.images import decode_images, encode_images
from pixelpush.image import Condition, ImageModel
from pixelpush.progress import Advance
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.scoring import EpisodeSequence


@dataclass
class Sizes:
    """What a file's bytes are spent on. nats: of the coded part, by the model; subpixels: in it.
    least_bits: its ideal length, in which no level costs more than 24 bits (0 for images).

    >>> sizes = Sizes()
    >>> sizes.add(CodedEpisode([b"{}", b"png", b"zip", b"code"], 12.5, 1, 192), size=40)
    >>> sizes.code_bytes, sizes.per_episode_bytes
    (4, [40])
    """

    episodes: int = 0
    nats: float = 0.0
    frames: int = 0
    subpixels: int = 0
    code_bytes: int = 0
    context_bytes: int = 0
    vector_bytes: int = 0
    about_bytes: int = 0
    file_bytes: int = 0
    least_bits: float = 0.0
    per_episode_bytes: list[int] = field(default_factory=list)

    def add(self, coded: CodedEpisode, size: int) -> None:
        self.episodes += 1
        self.per_episode_bytes.append(size)
        for name in ("nats", "frames", "subpixels", "least_bits"):
            setattr(self, name, getattr(self, name) + getattr(coded, name))
        for name in ("code_bytes", "context_bytes", "vector_bytes", "about_bytes"):
            setattr(self, name, getattr(self, name) + getattr(coded, name))


def compress_episodes(
    model: VideoPixelNetwork,
    splits: Mapping[str, EpisodeSequence],
    path: str | Path,
    *,
    name: str = "",
    context: int = 2,
    clip_frames: int = 20,
    metadata: Mapping[str, Any] | None = None,
    progress: Advance | None = None,
) -> dict[str, Sizes]:
    """Code whole splits into the file ``path``; return the sizes of each.

    name: what people call the model, for the header. metadata: of the data, JSON values. Frames,
    states, actions and ids are kept; an episode's ``extra`` is not. The file appears only when it
    is complete. Raises InputError for an episode that does not fit the model.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
    ...     compress_episodes(model, {"val": [episode]}, Path(folder) / "a.coded")["val"].frames
    1
    """
    check_on_cpu(model)
    listed: dict[str, list[dict[str, str]]] = {}
    sizes = {split: Sizes() for split in splits}
    with writing(path) as writer:
        for split, episodes in splits.items():
            listed[split] = []
            for index in range(len(episodes)):
                episode = episodes[index]
                coded = encode_episode(model, episode, context, clip_frames)
                member = f"{split}/{index:07d}"
                sizes[split].add(coded, writer.add(member, coded.sections))
                listed[split].append({"id": episode.id, "member": member})
                if progress is not None:
                    progress(1)
        _finish(writer, model, "video", name, {"splits": listed, "data": dict(metadata or {})})
    for measured in sizes.values():
        measured.file_bytes = Path(path).stat().st_size
    return sizes


def compress_images(
    model: ImageModel,
    batches: Iterable[tuple[np.ndarray, Condition | None]],
    path: str | Path,
    *,
    name: str = "",
    progress: Advance | None = None,
) -> Sizes:
    """Code batches of images uint8 (N, C, H, W), each with its condition, into ``path``;
    return the sizes, whose ``frames`` and ``episodes`` count images.

    >>> import tempfile
    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4).eval()
    >>> batches = [(np.zeros((2, 3, 4, 4), np.uint8), None)]
    >>> with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
    ...     compress_images(model, batches, Path(folder) / "a.coded").frames
    2
    """
    check_on_cpu(model)
    sizes = Sizes()
    listed = []
    with writing(path) as writer:
        for index, (images, condition) in enumerate(batches):
            sections, nats = encode_images(model, images, condition)
            member = f"images/{index:07d}"
            sizes.per_episode_bytes.append(writer.add(member, sections))
            listed.append({"member": member, "images": len(images)})
            sizes.episodes += len(images)
            sizes.frames += len(images)
            sizes.nats += nats
            sizes.subpixels += images.size
            sizes.about_bytes += len(sections[0])
            sizes.vector_bytes += len(sections[1])
            sizes.code_bytes += len(sections[2])
            if progress is not None:
                progress(len(images))
        _finish(writer, model, "image", name, {"batches": listed})
    sizes.file_bytes = Path(path).stat().st_size
    return sizes


def _finish(writer: Writer, model: Any, family: str, name: str, content: Mapping[str, Any]) -> None:
    writer.finish(
        {
            "family": family,
            "model": {"name": name, "sha256": model_sha256(model)},
            "arithmetic": asdict(this_arithmetic(model)),
            **content,
        }
    )


class CodedFile:
    """An opened file of coded splits or images, with the model that decodes it.

    ``load``: gives a model for the name in the header. Raises InputError for a file that is damaged
    or of another version, and before any decoding where the model is another one or its arithmetic
    differs here.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
    ...     path = Path(folder) / "a.coded"
    ...     _ = compress_episodes(model, {"val": [episode]}, path)
    ...     CodedFile(path, lambda name: model).split("val")[0].id
    'a'
    """

    def __init__(self, path: str | Path, load: Callable[[str], Any]):
        self._reader = Reader(path)
        header = self._reader.header
        try:
            self.family = str(header["family"])
            self.model_name = str(header["model"]["name"])
            self._arithmetic = Arithmetic(**header["arithmetic"])
            sha256 = str(header["model"]["sha256"])
            self.splits = {
                str(split): [(str(item["id"]), str(item["member"])) for item in listed]
                for split, listed in header.get("splits", {}).items()
            }
            self.batches = [str(item["member"]) for item in header.get("batches", [])]
            self.data = dict(header.get("data", {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(self._reader.path, f"header: {error!r}") from None
        self.path = self._reader.path
        self.model = load(self.model_name)
        check_on_cpu(self.model)
        own = model_sha256(self.model)
        if own != sha256:
            raise InputError(
                f"{path}: coded with the model {self.model_name or '(no name)'} of hash "
                f"{sha256[:12]}; the one given has {own[:12]}. Give that model with --model."
            )
        with self._as_written():
            check_arithmetic(self.model, self._arithmetic, str(path))

    def split(self, name: str) -> CodedSplit:
        """One split: episodes decoded when they are asked for."""
        if name not in self.splits:
            raise InputError(f"{self.path}: no split {name!r}; it has {', '.join(self.splits)}.")
        return CodedSplit(self, name)

    def read(self, member: str) -> Episode:
        """Decode one member of a video file."""
        sections = self._reader.sections(member)
        with self._as_written():
            return decode_episode(self.model, sections, f"{self.path}: {member}")

    def images(self) -> Iterator[np.ndarray]:
        """Decode an image file batch by batch, uint8 (N, C, H, W)."""
        for member in self.batches:
            sections = self._reader.sections(member)
            with self._as_written():
                batch = decode_images(self.model, sections, f"{self.path}: {member}")
            yield batch

    @contextmanager
    def _as_written(self) -> Iterator[None]:
        with threads(max(1, self._arithmetic.threads)), torch.inference_mode():
            yield


class CodedSplit:
    """A split of a coded file, with random access by episode, as any data set.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
    ...     path = Path(folder) / "a.coded"
    ...     _ = compress_episodes(model, {"val": [episode, episode]}, path)
    ...     len(CodedSplit(CodedFile(path, lambda name: model), "val"))
    2
    """

    def __init__(self, file: CodedFile, name: str):
        self._file = file
        self._listed = file.splits[name]
        self.name = f"{file.path.name}/{name}"

    def __len__(self) -> int:
        return len(self._listed)

    def __getitem__(self, index: int) -> Episode:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._file.read(self._listed[index][1])
