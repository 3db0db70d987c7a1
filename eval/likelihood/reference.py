"""The reference row: every sub-pixel is a logistic mixture around the same sub-pixel of the
previous frame.

A model that has learned anything about motion must beat it. One mixture of ``COMPONENTS``
discretized logistics per colour channel, shared by all positions and frames: 51 free numbers for
RGB, fitted by maximum likelihood on the training split. The likelihood depends on the data only
through the counts of (previous value, value) pairs, 256 x 256 a channel, so the fit is exact over
any number of frames. Independent of ``image.distributions`` on purpose: float64 NumPy scores it, so
that it also checks the models' units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.progress import Advance
from pixelpush.vpn.scoring import EpisodeScore, EpisodeSequence

LEVELS = 256
COMPONENTS = 6
# Scales in levels. Narrower than the floor a component is one level wide anyway.
_NARROWEST = 0.02
_FIRST_LOG_SCALES = (-1.2, 4.4)  # 0.3 to 80 levels
_ITERATIONS = 400


@dataclass(frozen=True)
class Reference:
    """A fitted row. weights, offsets (levels), scales (levels): float64 (C, K).

    >>> one = np.ones((1, 1))
    >>> reference = Reference(one, 0 * one, one, 2, 1, 1, nats_per_subpixel=0.0)
    >>> np.exp(reference.table[0, 7]).sum().round(6).item(), reference.table[0, 7].argmax().item()
    (1.0, 7)
    """

    weights: np.ndarray
    offsets: np.ndarray
    scales: np.ndarray
    context: int
    episodes: int
    frames: int
    nats_per_subpixel: float  # on the training split

    def score(self, episode: Episode) -> EpisodeScore:
        """One episode's frames after the context, each given the frame before it."""
        table = self.table
        if episode.frames.shape[1] != len(table):
            raise InputError(
                f"episode {episode.id} has {episode.frames.shape[1]} colour channels, the "
                "reference was fitted on "
                f"{len(table)}."
            )
        following = episode.frames[self.context :]
        previous = episode.frames[self.context - 1 : -1]
        frame_nats = -table[np.arange(len(table))[:, None, None], previous, following].sum(
            axis=(1, 2, 3)
        )
        nats = math.fsum(frame_nats)
        return EpisodeScore(
            episode.id, nats, following.size, len(following), tuple(frame_nats.tolist())
        )

    @cached_property
    def table(self) -> np.ndarray:
        """log p(value | previous value) in nats, float64 (C, 256, 256), indexed [channel, previous,
        value]."""
        previous = np.arange(LEVELS)[:, None, None]
        edges = np.arange(LEVELS + 1) - 0.5  # of the bins; the outermost take the whole tail
        edges[0] = -np.inf
        edges[-1] = np.inf
        channels = []
        for weights, offsets, scales in zip(self.weights, self.offsets, self.scales, strict=True):
            distance = (edges[None, :, None] - previous - offsets) / scales
            mass = _log_mass(distance[:, :-1], distance[:, 1:])
            with np.errstate(
                divide="ignore"
            ):  # a weight that the fit drove to 0 is a component that is not there
                log_weights = np.log(weights)
            channels.append(np.logaddexp.reduce(mass + log_weights, axis=-1))
        return np.stack(channels)

    def describe(self) -> dict[str, object]:
        """The fit as JSON values: enough to re-compute every score."""
        return {
            "components": self.weights.shape[1],
            "weights": self.weights.tolist(),
            "offsets_levels": self.offsets.tolist(),
            "scales_levels": self.scales.tolist(),
            "fitted_on": {"episodes": self.episodes, "predicted_frames": self.frames},
            "train_nats_per_subpixel": self.nats_per_subpixel,
        }


def fit_reference(
    episodes: EpisodeSequence, context: int = 2, progress: Advance | None = None
) -> Reference:
    """Fit the row on the frames after the context of every episode. Raises InputError where there
    is none.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> still = Episode(np.full((4, 1, 8, 8), 7, np.uint8), rows, rows, "a")
    >>> fitted = fit_reference([still], context=2)
    >>> fitted.frames, fitted.nats_per_subpixel < 0.1
    (2, True)
    """
    counts, frames = count_pairs(episodes, context, progress)
    weights, offsets, scales, nats = fit_mixture(counts)
    return Reference(weights, offsets, scales, context, len(episodes), frames, nats)


def count_pairs(
    episodes: EpisodeSequence, context: int = 2, progress: Advance | None = None
) -> tuple[np.ndarray, int]:
    """How often each (previous value, value) pair occurs: int64 (C, 256, 256), and the number of
    predicted frames.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> still = Episode(np.full((3, 1, 8, 8), 7, np.uint8), rows, rows, "a")
    >>> counts, frames = count_pairs([still], context=2)
    >>> counts[0, 7, 7].item(), counts.sum().item(), frames
    (64, 64, 1)
    """
    counts = None
    frames = 0
    for index in range(len(episodes)):
        episode: Episode = episodes[index]
        following = episode.frames[context:]
        previous = episode.frames[context - 1 : -1]
        if counts is None:
            counts = np.zeros((episode.frames.shape[1], LEVELS**2), np.int64)
        elif len(counts) != episode.frames.shape[1]:
            raise InputError(
                f"episode {episode.id} has {episode.frames.shape[1]} colour channels, earlier "
                f"ones {len(counts)}; "
                "a split has one shape."
            )
        for channel in range(len(counts)):
            pairs = previous[:, channel].astype(np.intp) * LEVELS + following[:, channel]
            counts[channel] += np.bincount(pairs.ravel(), minlength=LEVELS**2)
        frames += max(len(following), 0)
        if progress is not None:
            progress(1)
    if counts is None or frames == 0:
        raise InputError(
            f"no training episode has a frame after the context of {context}: the reference needs "
            "some."
        )
    return counts.reshape(-1, LEVELS, LEVELS), frames


def fit_mixture(
    counts: np.ndarray, components: int = COMPONENTS
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Maximum likelihood by L-BFGS in float64. counts: int (C, 256, 256), indexed [channel,
    previous, value].

    Returns weights, offsets and scales, (C, K), and the mean nats per sub-pixel of the counts.
    Inner values enter only through value - previous, so a channel needs 511 + 2 * 256 terms.

    >>> counts = np.zeros((1, 256, 256), np.int64)
    >>> counts[0, 7, 9] = 10
    >>> weights, offsets, scales, nats = fit_mixture(counts, components=1)
    >>> offsets.round(1).tolist(), nats < 0.1
    ([[2.0]], True)
    """
    terms = [_terms(channel) for channel in counts]
    lower, upper, count = (
        torch.from_numpy(np.stack(arrays)) for arrays in zip(*terms, strict=True)
    )
    total = float(count.sum())
    channels = len(counts)
    first = torch.linspace(*_FIRST_LOG_SCALES, components, dtype=torch.float64)
    logits = torch.zeros(channels, components, dtype=torch.float64, requires_grad=True)
    offsets = torch.zeros(channels, components, dtype=torch.float64, requires_grad=True)
    log_scales = first.repeat(channels, 1).requires_grad_()

    def nats() -> torch.Tensor:
        scales = log_scales.exp() + _NARROWEST
        below = (lower[..., None] - offsets[:, None]) / scales[:, None]
        above = (upper[..., None] - offsets[:, None]) / scales[:, None]
        # log(sigmoid(a) - sigmoid(b)) without a difference of near-equal numbers, as in
        # image.distributions.
        mass = (
            torch.nn.functional.logsigmoid(above)
            + torch.nn.functional.logsigmoid(-below)
            + torch.log(-torch.expm1(below - above))
        )
        score = torch.logsumexp(mass + torch.log_softmax(logits, 1)[:, None], dim=-1)
        return -(score * count).sum() / total

    optimiser = torch.optim.LBFGS(
        [logits, offsets, log_scales],
        max_iter=_ITERATIONS,
        tolerance_grad=1e-9,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = nats()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return (
            torch.softmax(logits, 1).numpy(),
            offsets.numpy().copy(),
            (log_scales.exp() + _NARROWEST).numpy(),
            float(nats()),
        )


def _terms(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bins and counts that carry the whole likelihood of one channel: (lower edge, upper edge,
    count), each (1023,).

    Edges are distances from the previous value in levels. Values 1..254 are pooled by their
    difference; 0 and 255, whose bins take the tails, stay apart for each previous value."""
    previous = np.arange(LEVELS)
    inner = counts.copy()
    inner[:, [0, LEVELS - 1]] = 0
    difference = np.arange(-LEVELS + 1, LEVELS)
    pooled = np.array([np.trace(inner, offset=d) for d in difference])
    # Finite stand-ins for infinity keep gradients finite.
    far = np.full(LEVELS, 1e6)
    lower = np.concatenate([difference - 0.5, -far, LEVELS - 1.5 - previous])
    upper = np.concatenate([difference + 0.5, 0.5 - previous, far])
    count = np.concatenate([pooled, counts[:, 0], counts[:, LEVELS - 1]]).astype(np.float64)
    return lower, upper, count


def _log_mass(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """log(sigmoid(above) - sigmoid(below)), exact for all magnitudes and for infinite ends."""
    return -np.logaddexp(0, -above) - np.logaddexp(0, below) + np.log(-np.expm1(below - above))
