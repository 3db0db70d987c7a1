"""The table of codecs: bits per sub-pixel and megabytes per second of a model and its rivals, on
the same frames."""

from __future__ import annotations

import math
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.coding.arithmetic import threads
from pixelpush.eval.coding.files import CodedFile, compress_episodes
from pixelpush.eval.coding.rivals import RIVALS, Rival
from pixelpush.eval.figures import figure_file
from pixelpush.eval.statistics import episode_floor
from pixelpush.eval.text import number, text_table
from pixelpush.vpn import VideoPixelNetwork


@dataclass(frozen=True)
class CodecRow:
    """One codec on all frames. bits: of the whole file per sub-pixel, given frames, states and
    actions included where they are coded. encode, decode: megabytes of raw frames per second of one
    core's work. lossless: whether the bytes came back.

    For a model, predicted_bits: of the coded frames alone; nll_bits, floor_bits: what the
    likelihood and the known noise say of them; least_bits: the likelihood by the coder's
    tables (``Encoder``), to which size_above_least compares the bytes.
    code_bytes: of the coded frames; given_bytes: of the given frames, states and actions.

    >>> row = CodecRow("PNG", 4.2, 1.5, 30.0, lossless=True, file_bytes=1000)
    >>> row.nll_bits is None
    True
    """

    name: str
    bits: float
    encode_megabytes_per_second: float
    decode_megabytes_per_second: float
    lossless: bool
    file_bytes: int
    predicted_bits: float | None = None
    nll_bits: float | None = None
    floor_bits: float | None = None
    size_above_nll: float | None = None
    least_bits: float | None = None
    size_above_least: float | None = None
    code_bytes: int | None = None
    given_bytes: int | None = None


def core_seconds() -> float:
    """Seconds that cores have worked for this process and the programs that it ran.

    Other work on the machine stretches a clock's seconds, but hardly these.

    >>> core_seconds() > 0
    True
    """
    programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + programs.ru_utime + programs.ru_stime


def codec_table(
    model: VideoPixelNetwork,
    name: str,
    episodes: Sequence[Episode],
    context: int = 2,
    clip_frames: int = 20,
    rivals: Sequence[Rival] = RIVALS,
) -> tuple[list[CodecRow], list[str]]:
    """(rows, why a rival is missing): every rival on all frames of the episodes, then the model.

    Speeds are of one thread and one run.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> [row.name for row in codec_table(model, "ours", [episode], rivals=RIVALS[:1])[0]]
    ['PNG', 'ours']
    """
    rows, missing = rival_rows(episodes, clip_frames, rivals)
    with threads(1):
        rows.append(_model_row(model, name, episodes, context, clip_frames))
    return rows, missing


def rival_rows(
    episodes: Sequence[Episode], clip_frames: int = 20, rivals: Sequence[Rival] = RIVALS
) -> tuple[list[CodecRow], list[str]]:
    """(rows, why a rival is missing): every rival on all frames of the episodes.

    Video rivals code all episodes as one stream with a key frame at each episode's start where
    all are of one length; otherwise every ``clip_frames`` frames.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> rival_rows([episode], rivals=RIVALS[:1])[0][0].lossless
    True
    """
    frames = np.concatenate([episode.frames for episode in episodes])
    lengths = {len(episode.frames) for episode in episodes}
    # Frames between key frames: a video codec then starts anew with every episode, as a model does.
    keys = lengths.pop() if len(lengths) == 1 else clip_frames
    rows = []
    missing = []
    for rival in rivals:
        try:
            rival.ready()
        except InputError as error:
            missing.append(str(error))
            continue
        rows.append(_rival_row(rival, frames, keys))
    return rows, missing


def _rival_row(rival: Rival, frames: np.ndarray, keys: int) -> CodecRow:
    started = core_seconds()
    data = rival.encode(frames, keys)
    encoded = core_seconds()
    back = rival.decode(data, frames.shape)
    decoded = core_seconds()
    return CodecRow(
        rival.name,
        len(data) * 8 / frames.size,
        frames.size / 1e6 / (encoded - started),
        frames.size / 1e6 / (decoded - encoded),
        bool(np.array_equal(back, frames)),
        len(data),
    )


def _model_row(
    model: VideoPixelNetwork,
    name: str,
    episodes: Sequence[Episode],
    context: int,
    clip_frames: int,
) -> CodecRow:
    subpixels = sum(episode.frames.size for episode in episodes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coded.ppc"
        started = core_seconds()
        sizes = compress_episodes(
            model,
            {"all": episodes},
            path,
            name=name,
            context=context,
            clip_frames=clip_frames,
        )["all"]
        encoded = core_seconds()
        split = CodedFile(path, lambda _: model).split("all")
        same = all(
            np.array_equal(split[index].frames, episode.frames)
            for index, episode in enumerate(episodes)
        )
        decoded = core_seconds()
    floors = [episode_floor(episode, context) for episode in episodes]
    known = [floor for floor in floors if floor is not None]
    nll_bits = sizes.nats / math.log(2)
    return CodecRow(
        name,
        sizes.file_bytes * 8 / subpixels,
        subpixels / 1e6 / (encoded - started),
        subpixels / 1e6 / (decoded - encoded),
        same,
        sizes.file_bytes,
        sizes.code_bytes * 8 / sizes.subpixels,
        nll_bits / sizes.subpixels,
        math.fsum(known) / math.log(2) / sizes.subpixels if len(known) == len(floors) else None,
        sizes.code_bytes * 8 / nll_bits - 1,
        sizes.least_bits / sizes.subpixels,
        sizes.code_bytes * 8 / sizes.least_bits - 1,
        sizes.code_bytes,
        sizes.context_bytes + sizes.vector_bytes,
    )


def codec_text(rows: Sequence[CodecRow]) -> str:
    """The table as text, and what a model's bytes are spent on.

    >>> row = CodecRow("PNG", 4.2, 1.5, 30.0, lossless=True, file_bytes=1000)
    >>> codec_text([row]).splitlines()[-1].split()
    ['PNG', '1,000', '4.200', '-', '-', '-', '-', '1.500', '30.000']
    """
    lines = []
    for row in rows:
        above = "" if row.size_above_least is None else f"{row.size_above_least:+.3%}"
        lines.append(
            [
                row.name if row.lossless else f"{row.name} (NOT LOSSLESS)",
                f"{row.file_bytes:,}",
                number(row.bits, 3),
                number(row.predicted_bits, 4),
                number(row.nll_bits, 4),
                number(row.least_bits, 4),
                above,
                number(row.floor_bits, 4),
                number(row.encode_megabytes_per_second, 3),
                number(row.decode_megabytes_per_second, 3),
            ]
        )
    header = [
        *("codec", "bytes", "bits/sub-pixel", "coded frames", "NLL", "cut NLL", "bytes above"),
        *("noise floor", "MB/s in", "MB/s out"),
    ]
    return "\n".join([text_table(header, lines), *filter(None, map(_spent, rows))])


def _spent(row: CodecRow) -> str:
    """Where a model's bytes went; empty for a codec."""
    if row.code_bytes is None or row.given_bytes is None:
        return ""
    rest = row.file_bytes - row.code_bytes - row.given_bytes
    return (
        f"{row.name}: {row.code_bytes:,} bytes are the coded frames, {row.given_bytes:,} the given "
        f"frames, states and actions, {rest:,} ids, checksums and the header"
    )


def codec_json(rows: Sequence[CodecRow], missing: Sequence[str]) -> dict[str, object]:
    """The table as JSON values.

    >>> row = CodecRow("PNG", 4.2, 1.5, 30.0, lossless=True, file_bytes=1000)
    >>> codec_json([row], missing=[])["rows"][0]["bits"]
    4.2
    """
    return {"rows": [asdict(row) for row in rows], "missing": list(missing)}


def codec_figure(tables: Mapping[str, Sequence[CodecRow]], path: Path) -> None:
    """Bars of every codec's bits per sub-pixel, a panel for each table; the model's stands out, and
    a line marks its noise floor where one is known.

    >>> row = CodecRow("PNG", 4.2, 1.5, 30.0, lossless=True, file_bytes=1000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codec_figure({"noisy": [row]}, Path(folder) / "bits.svg")
    ...     (Path(folder) / "bits.svg").exists()
    True
    """
    with figure_file(path, 3.6 * len(tables) + 0.4, 2.4) as figure:
        panels = figure.subplots(1, len(tables), squeeze=False, sharex=True)[0]
        for axes, (title, rows) in zip(panels, tables.items(), strict=True):
            names = [row.name.removesuffix(" lossless") for row in rows]
            colours = ["0.7" if row.nll_bits is None else "C0" for row in rows]
            bars = axes.barh(names, [row.bits for row in rows], color=colours)
            axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=2)
            for row in rows:
                if row.floor_bits is not None:
                    axes.axvline(row.floor_bits, ls=":", color="0.3", lw=1)
                    axes.text(row.floor_bits, -0.75, " noise floor", fontsize=6, color="0.3")
            axes.invert_yaxis()
            axes.margins(x=0.12)
            axes.set_title(title, fontsize=8)
            axes.set_xlabel("bits per sub-pixel", fontsize=7)
            axes.tick_params(labelsize=7)
            axes.spines[["top", "right"]].set_visible(False)
