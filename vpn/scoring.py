"""The one function that scores episodes: validation while training and the ``nll`` tables both call
it.

Every frame after the context is predicted exactly once. Totals and counts are kept apart, per
episode, in float64. With several processes the same batches are formed and dealt out, so the values
do not depend on how many there are."""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.progress import Advance


class RecordedEpisode(Protocol):
    """What is read of an episode.

    frames: uint8 (T, C, H, W). states: float32 (T, S). actions: float32 (T, A). id: its name.

    >>> from types import SimpleNamespace
    >>> frames = np.zeros((4, 3, 8, 8), np.uint8)
    >>> vectors = np.zeros((4, 5), np.float32)
    >>> episode = SimpleNamespace(frames=frames, states=vectors, actions=vectors, id="one")
    """

    @property
    def frames(self) -> np.ndarray: ...
    @property
    def states(self) -> np.ndarray: ...
    @property
    def actions(self) -> np.ndarray: ...
    @property
    def id(self) -> str: ...


class EpisodeSequence(Protocol):
    """Random access to episodes; a list will do.

    >>> episodes: EpisodeSequence = []
    >>> len(episodes)
    0
    """

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True)
class EpisodeScore:
    """One episode's negative log-likelihood.

    nats: total over its predicted frames. frame_nats: the same per predicted frame, in order.
    frames: how many frames were predicted; subpixels: frames * C * H * W.

    >>> EpisodeScore("one", nats=6.0, subpixels=3, frames=1, frame_nats=(6.0,)).nats
    6.0
    """

    id: str
    nats: float
    subpixels: int
    frames: int
    frame_nats: tuple[float, ...]


def scoring_windows(length: int, clip_frames: int, context: int) -> list[range]:
    """Cut an episode so that every frame after the first ``context`` is predicted exactly once.

    Each window of at most ``clip_frames`` frames starts with ``context`` given frames; only the
    last may be shorter. Raises InputError for windows that predict nothing and for an episode of no
    more than ``context`` frames.

    >>> scoring_windows(length=7, clip_frames=4, context=2)
    [range(0, 4), range(2, 6), range(4, 7)]
    """
    if context < 0 or clip_frames <= context:
        raise InputError(
            f"clips of {clip_frames} frames with {context} frames of context predict nothing."
        )
    if length <= context:
        raise InputError(
            f"an episode of {length} frames has nothing to predict after {context} frames of "
            "context."
        )
    # Windows overlap by the context.
    step = clip_frames - context
    return [
        range(start, min(start + clip_frames, length)) for start in range(0, length - context, step)
    ]


def score_episodes(
    model: nn.Module,
    episodes: EpisodeSequence,
    context: int = 2,
    clip_frames: int = 20,
    batch_size: int = 16,
    device: torch.device | str = "cpu",
    precision: str = "32",
    progress: Advance | None = None,
) -> list[EpisodeScore]:
    """Score every episode of a split under ``model.log_prob``; the result is in the split's order.

    In a process group every process calls this and every one gets the whole list. precision: '32',
    or 'bf16' for autocast. progress is called with the number of episodes just scored by this
    process, and with their figure so far. Raises InputError for an empty split, a batch size,
    context or clip length that scores nothing, an episode without a frame to predict, and a
    log-probability that is not finite.

    >>> from types import SimpleNamespace
    >>> from pixelpush.vpn import build_model
    >>> frames = np.zeros((4, 3, 8, 8), np.uint8)
    >>> vectors = np.zeros((4, 5), np.float32)
    >>> episode = SimpleNamespace(frames=frames, states=vectors, actions=vectors, id="one")
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> [score.subpixels for score in score_episodes(model, [episode])]
    [384]
    """
    _check_request(len(episodes), batch_size, context, clip_frames)
    rank, world = _rank_and_world()
    chunks = [
        range(i, min(i + batch_size, len(episodes))) for i in range(0, len(episodes), batch_size)
    ]
    # Batches are formed first and dealt out afterwards: their number and content do not depend on
    # how many processes share them.
    mine: dict[int, EpisodeScore] = {}
    failure: str | None = None
    try:
        with _scoring_mode(model, torch.device(device), precision):
            for indices, batch in _read_ahead(episodes, chunks[rank::world]):
                mine.update(
                    zip(indices, _score(model, batch, context, clip_frames, device), strict=True)
                )
                if progress is not None:
                    nats, subpixels = total_score(list(mine.values()))
                    progress(len(indices), f"{nats / subpixels:.4f} nats/sub-pixel")
    except InputError as error:
        failure = str(error)
        if world == 1:
            raise
    scores = _merged(_gather((mine, failure), world))
    return [scores[index] for index in range(len(episodes))]


def _check_request(episodes: int, batch_size: int, context: int, clip_frames: int) -> None:
    if episodes == 0:
        raise InputError("this split has no episode: there is nothing to score.")
    if batch_size < 1:
        raise InputError(
            f"episodes scored at once (batch_size) must be at least 1, got {batch_size}."
        )
    if not 1 <= context < clip_frames:
        raise InputError(
            f"context {context} must be at least 1 and below the clip length {clip_frames}."
        )


def _merged(
    everyone: Sequence[tuple[dict[int, EpisodeScore], str | None]],
) -> dict[int, EpisodeScore]:
    """All processes' scores. Every process raises the first failure, so none is left waiting."""
    for _, failure in everyone:
        if failure is not None:
            raise InputError(failure)
    return {index: score for scores, _ in everyone for index, score in scores.items()}


def total_score(scores: Sequence[EpisodeScore]) -> tuple[float, int]:
    """Return the total nats and predicted sub-pixels of a split.

    The sum is exactly rounded. Divide once for nats per sub-pixel.

    >>> scores = [EpisodeScore("one", 6.0, 3, 1, (6.0,)), EpisodeScore("two", 4.0, 2, 1, (4.0,))]
    >>> total_score(scores)
    (10.0, 5)
    """
    return math.fsum(score.nats for score in scores), sum(score.subpixels for score in scores)


def _score(
    model: Any,
    batch: Sequence[RecordedEpisode],
    context: int,
    clip_frames: int,
    device: torch.device | str,
) -> list[EpisodeScore]:
    groups: dict[int, list[tuple[int, range]]] = defaultdict(list)
    for position, episode in enumerate(batch):
        if len(episode.frames) <= context:
            raise InputError(
                f"episode {episode.id}: {len(episode.frames)} frames leave nothing to predict "
                "after a context of"
                f" {context}; remove it or use a shorter context."
            )
        for window in scoring_windows(len(episode.frames), clip_frames, context):
            groups[len(window)].append((position, window))
    found: list[dict[int, list[float]]] = [{} for _ in batch]
    for group in groups.values():
        # An episode of several windows must not enlarge the batch.
        for first in range(0, len(group), len(batch)):
            part = group[first : first + len(batch)]
            log_prob = model.log_prob(*_tensors(batch, part, device), context=context)
            for (position, window), value in zip(part, log_prob, strict=True):
                # Per sample, so that its sum does not depend on the batch it sits in; on the CPU,
                # because not every GPU has float64.
                found[position][window.start] = (-value.cpu().double().flatten(1).sum(1)).tolist()
    return [_collect(episode, windows) for episode, windows in zip(batch, found, strict=True)]


def _collect(episode: RecordedEpisode, windows: dict[int, list[float]]) -> EpisodeScore:
    frame_nats = tuple(nats for start in sorted(windows) for nats in windows[start])
    if not all(math.isfinite(nats) for nats in frame_nats):
        raise InputError(
            f"episode {episode.id}: the model's log-probability is not finite; its weights have "
            "diverged; use an earlier save."
        )
    return EpisodeScore(
        id=episode.id,
        nats=math.fsum(frame_nats),
        subpixels=len(frame_nats) * math.prod(episode.frames.shape[1:]),
        frames=len(frame_nats),
        frame_nats=frame_nats,
    )


def _tensors(
    batch: Sequence[RecordedEpisode], part: Sequence[tuple[int, range]], device: torch.device | str
) -> list[Tensor]:
    stacked = []
    for name in ("frames", "states", "actions"):
        arrays = [
            getattr(batch[position], name)[window.start : window.stop] for position, window in part
        ]
        shapes = sorted({array.shape for array in arrays})
        if len(shapes) > 1:
            ids = ", ".join(batch[position].id for position, _ in part)
            raise InputError(
                f"{name} of episodes {ids} differ in shape: {shapes}; a split has one shape."
            )
        stacked.append(torch.from_numpy(np.stack(arrays)).to(device))
    return stacked


def _read_ahead(
    episodes: EpisodeSequence, chunks: Sequence[range]
) -> Iterator[tuple[range, list[RecordedEpisode]]]:
    """Read the next chunk in one thread while this one is scored: never more than two in memory."""

    def read(indices: range) -> list[RecordedEpisode]:
        return [episodes[index] for index in indices]

    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(read, chunks[0]) if chunks else None
        for number, indices in enumerate(chunks):
            assert coming is not None
            batch = coming.result()
            coming = reader.submit(read, chunks[number + 1]) if number + 1 < len(chunks) else None
            yield indices, batch


@contextlib.contextmanager
def _scoring_mode(model: nn.Module, device: torch.device, precision: str) -> Iterator[None]:
    """Evaluation mode without gradients, restored afterwards."""
    if precision not in ("32", "bf16"):
        raise InputError(f"precision {precision!r} is unknown; use '32' or 'bf16'.")
    was_training = model.training
    model.eval()
    try:
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"),
        ):
            yield
    finally:
        model.train(was_training)


def _rank_and_world() -> tuple[int, int]:
    group = torch.distributed
    if group.is_available() and group.is_initialized():
        return group.get_rank(), group.get_world_size()
    return 0, 1


def _gather(value: Any, world: int) -> list[Any]:
    if world == 1:
        return [value]
    everyone: list[Any] = [None] * world
    torch.distributed.all_gather_object(everyone, value)
    return everyone
