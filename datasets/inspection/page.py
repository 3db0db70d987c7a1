"""The page as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelpush.datasets.episodes import Metadata
from pixelpush.datasets.inspection.measure import Measurement, VectorMeasure, near_constant
from pixelpush.words import counted

_SHOWN_GAPS = 3


def page(name: str, measured: Measurement, metadata: Metadata, of: int | None = None) -> str:
    """Lines for people: what the data hold, and what looks wrong.

    of: episodes in all, where not every one was looked at.

    >>> from pixelpush.datasets.episodes import Episode
    >>> rows = np.zeros((3, 0), np.float32)
    >>> measured = Measurement()
    >>> measured.add(Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a"))
    >>> print(page("mine", measured, {"fps": 5}, of=8))
    mine: 1 episode (of 8, spread evenly), 3 frames; 3 to 3 frames each, median 3
    rate: 5 frames a second by the source
    states: none
    actions: none
    frames that repeat the one before: 2 of 2 (100.0%); the longest still: 3 frames from ...
    """
    lines = [*_frames(name, measured, metadata, of), *_vectors(measured, metadata)]
    lines += _together(measured, metadata)
    lines += [f"note: {note}" for note in _notes(measured, metadata)]
    return "\n".join(lines)


def _frames(name: str, measured: Measurement, metadata: Metadata, of: int | None) -> list[str]:
    lengths = np.array(measured.lengths)
    part = f" (of {of}, spread evenly)" if of and of > len(lengths) else ""
    lines = [
        f"{name}: {counted(len(lengths), 'episode')}{part}, {lengths.sum()} frames; "
        f"{lengths.min()} to {lengths.max()} frames each, median {int(np.median(lengths))}"
    ]
    rate = metadata.get("fps")
    usual = measured.times.usual
    if rate or usual:
        said = [f"{rate:g} frames a second by the source"] if rate else []
        said += [f"{1 / usual:.4g} by the recorded times"] if usual and usual > 0 else []
        lines.append(f"rate: {', '.join(said)}")
    return lines


def _vectors(measured: Measurement, metadata: Metadata) -> list[str]:
    lines = []
    for kind, found in (("state", measured.states), ("action", measured.actions)):
        if found is None or not len(found.mean):
            lines.append(f"{kind}s: none")
            continue
        names = entry_names(metadata, kind, len(found.mean))
        width = max(len(kind), *map(len, names))
        head = "".join(f"{title:>12}" for title in ("least", "greatest", "mean", "deviation"))
        lines.append(f"{kind:<{width}}{head}")
        steady = steadiness(found)
        for index, entry in enumerate(names):
            values = (found.low, found.high, found.mean, found.deviation)
            row = "".join(f"{value[index]:>12.5g}" for value in values)
            lines.append(f"{entry:<{width}}{row}{'  ' + steady[index] if steady[index] else ''}")
    return lines


def entry_names(metadata: Metadata, kind: str, width: int) -> list[str]:
    """Names of a vector's entries: the source's own where they fit, else numbers.

    >>> entry_names({"state_names": ["x", "y"]}, "state", 2), entry_names({}, "state", 2)
    (['x', 'y'], ['state 0', 'state 1'])
    """
    names = metadata.get(f"{kind}_names")
    if isinstance(names, Sequence) and len(names) == width:
        return [str(name)[:32] for name in names]
    return [f"{kind} {index}" for index in range(width)]


def steadiness(found: VectorMeasure) -> list[str]:
    """For each entry: 'constant', 'nearly constant', or '' where it varies.

    >>> measure = VectorMeasure(3)
    >>> measure.add(np.array([[0.0, 0.0, 0.0], [0.0, 1e-5, 1.0]]))
    >>> steadiness(measure)
    ['constant', 'nearly constant', '']
    """
    steady = near_constant(found.mean, found.deviation)
    still = found.low == found.high
    words = np.where(still, "constant", np.where(steady, "nearly constant", ""))
    return [str(word) for word in words]


def _together(measured: Measurement, metadata: Metadata) -> list[str]:
    lines = []
    if measured.actions is not None and len(measured.actions.mean):
        kind = metadata.get("action_kind", measured.action_kind())
        source = metadata.get("action_kind_from", "measured")
        words = {
            "pose": "poses, like the state",
            "delta": "deltas, changes of the state",
            "other": "neither like the state nor like its changes, as far as measured",
        }
        if kind == "other" and measured.states is not None and not len(measured.states.mean):
            words["other"] = "of a kind that is not known, without states"
        lines.append(f"actions are {words.get(kind, kind)} ({kind}, {source})")
        lag = measured.together.lag() if measured.together else None
        if lag is not None:
            lines.append(
                f"lag: action t goes best with what the state does up to frame t + {lag.frames} "
                f"(correlation {lag.correlation:.2f})"
            )
    frames = measured.frames
    share = 100 * frames.repeated / max(frames.pairs, 1)
    line = f"frames that repeat the one before: {frames.repeated} of {frames.pairs} ({share:.1f}%)"
    if frames.longest[0] > 1:
        run, identity, start = frames.longest
        line += f"; the longest still: {run} frames from frame {start} of {identity}"
    lines.append(line)
    return lines


def _notes(measured: Measurement, metadata: Metadata) -> list[str]:
    """What a user should look into."""
    return [
        *_time_notes(measured, metadata),
        *_vector_notes("state", measured.states, metadata),
        *_vector_notes("action", measured.actions, metadata),
        *_action_notes(measured, metadata),
    ]


def _time_notes(measured: Measurement, metadata: Metadata) -> list[str]:
    notes = []
    gaps = measured.times.gaps()
    if gaps:
        shown = "; ".join(
            f"{seconds:.3f} s after frame {frame} of {identity}"
            for identity, frame, seconds in gaps[:_SHOWN_GAPS]
        )
        more = "; ..." if len(gaps) > _SHOWN_GAPS else ""
        notes.append(f"{len(gaps)} gaps in time: {shown}{more}")
    rate = metadata.get("fps")
    usual = measured.times.usual
    if rate and usual and abs(rate * usual - 1) > 0.1:
        notes.append("the source's rate and the recorded times differ by more than a tenth")
    return notes


def _vector_notes(kind: str, found: VectorMeasure | None, metadata: Metadata) -> list[str]:
    if found is None or not len(found.mean):
        return []
    names = entry_names(metadata, kind, len(found.mean))
    steady = [name for name, word in zip(names, steadiness(found), strict=True) if word]
    if not steady:
        return []
    shown = ", ".join(steady[:6]) + (", ..." if len(steady) > 6 else "")
    return [f"{shown}: (nearly) constant {kind}s; models scale them by 1"]


def _action_notes(measured: Measurement, metadata: Metadata) -> list[str]:
    notes = []
    found = measured.action_kind()
    declared = metadata.get("action_kind")
    if {found, declared} == {"pose", "delta"}:
        notes.append(f"actions are declared {declared}, but look like {found}")
    lag = measured.together.lag() if measured.together else None
    if lag is not None and lag.frames == 0 and lag.correlation > 0.5:
        notes.append("actions lag: they go with what the state did already; are rows shifted?")
    return notes
