"""LeRobot data sets, v2.0, v2.1 and v3.0: states and actions in parquet, frames in videos or in
parquet too.

v2 keeps an episode a file; v3 keeps several in one and says in meta/episodes which rows and which
seconds of a video are an episode's. Format: huggingface/lerobot, lerobot/datasets."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.actions import ActionMeasure
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.rates import Compose, compose, ways
from pixelpush.datasets.readers.common import (
    RobotOptions,
    VectorChoice,
    choose_camera,
    make_episode,
    robot_metadata,
)
from pixelpush.datasets.readers.lerobot_index import read_meta
from pixelpush.datasets.readers.lerobot_meta import EpisodeMeta, Meta
from pixelpush.datasets.readers.parquet import column_rows, read_columns
from pixelpush.datasets.recording import Entry, Recording, unsplit
from pixelpush.datasets.video import Span, read_video_file
from pixelpush.errors import InputError

_STATES = (
    ("observation.state",),
    ("state",),
    ("observation.qpos",),
    ("qpos",),
    ("observation.states",),
    ("states",),
)
_ACTIONS = (("action",), ("actions",))
# Episodes that are looked at to tell poses from deltas.
_MEASURED = 20


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare lerobot``; --raw is the folder with meta/info.json.

    Example:
        >>> Options(episodes="0-9,29").compose
        'auto'
    """

    camera: str | None = None
    """Which camera, where there are several: its key, or the key's last part."""
    fps: float | None = None
    """Frames a second to keep; the recorded rate must be a whole multiple. Left out: all."""
    compose: Compose = "auto"
    """With --fps, what a frame's action becomes of those it spans: the last, the first, or their
    sum. auto sums deltas and takes the last of others."""
    state_key: str = ""
    """Feature, or features with commas, of the state; 'none' for none. Left out:
    observation.state, or state."""
    action_key: str = ""
    """Feature, or features with commas, of the action; 'none' for none. Left out: action, or
    actions."""
    episodes: str = ""
    """Numbers of the episodes to take, like '0-9,29'. Left out: all that are there."""


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where its meta/info.json names a codebase_version; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    if not (raw / "meta" / "info.json").is_file():
        return None
    return f"a LeRobot data set, {read_meta(raw).version}"


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """Every episode whose files are there; the others are counted.

    Raises InputError for episodes that were asked for by number and are not there.

    >>> read(Path("nowhere"), Options(), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no meta/info.json in it; --raw is a LeRobot data set's ...
    """
    meta = read_meta(raw)
    camera = choose_camera(meta.cameras, options.camera, str(raw))
    choice = VectorChoice(meta.vectors, meta.vectors, "feature", meta.root)
    states = choice.keys(options.state_key, _STATES, "state")
    actions = choice.keys(options.action_key, _ACTIONS, "action")
    step = _step(meta, options)
    here, absent = _present(meta, camera, options)
    how = _ways(meta, here, states, actions, options) if step > 1 and actions else []
    source = _Source(meta, camera, states, actions, step, how, options)
    entries = [
        Entry(f"episode-{item.index:06d}", functools.partial(source.read, item), str(raw))
        for item in here
    ]
    if absent:
        log.say(f"{raw}: {len(absent)} of its {len(absent) + len(here)} episodes are not here.")
    metadata = robot_metadata(
        "lerobot",
        options,
        version=meta.version,
        fps=meta.fps / step,
        camera=camera,
        state=list(states),
        action=list(actions),
        state_names=[name for key in states for name in meta.entry_names(key)],
        action_names=[name for key in actions for name in meta.entry_names(key)],
        composed=how if step > 1 else None,
        tasks=sorted({task for item in here for task in item.tasks})[:64],
    )
    return unsplit(entries, metadata, lambda: {"episodes_not_here": len(absent)})


def _step(meta: Meta, options: Options) -> int:
    if options.fps is None:
        return 1
    step = round(meta.fps / options.fps) if options.fps > 0 else 0
    if step < 1 or abs(step * options.fps - meta.fps) > 1e-3 * meta.fps:
        whole = ", ".join(f"{meta.fps / n:g}" for n in (1, 2, 3, 5, 6, 10) if meta.fps / n >= 1)
        raise InputError(
            f"--fps {options.fps:g}: the recorded {meta.fps:g} is no whole multiple of it; "
            f"{whole} would do."
        )
    return step


def _asked_for(meta: Meta, wanted: set[int] | None) -> list[EpisodeMeta]:
    """The episodes of these numbers, by default all; an unknown number is refused."""
    if wanted is None:
        return meta.episodes
    chosen = [item for item in meta.episodes if item.index in wanted]
    unknown = sorted(wanted - {item.index for item in chosen})
    if unknown:
        raise InputError(f"--episodes: {meta.root} has no episode {unknown[0]}.")
    return chosen


def _present(
    meta: Meta, camera: str, options: Options
) -> tuple[list[EpisodeMeta], list[EpisodeMeta]]:
    """The wanted episodes whose files are there, and those whose files are not."""
    wanted = _numbers(options.episodes)
    chosen = _asked_for(meta, wanted)
    missing = {item.index: meta.missing_file(item, camera) for item in chosen}
    here = [item for item in chosen if missing[item.index] is None]
    absent = [item for item in chosen if missing[item.index] is not None]
    if absent and (wanted is not None or not here):
        first = absent[0]
        raise InputError(
            f"{missing[first.index]}: not here, but episode {first.index} needs it; fetch the "
            "whole set (a download without its videos lacks them)."
        )
    if not here:
        raise InputError(f"{meta.root}: it has no episodes; fetch the whole set.")
    return here, absent


def _numbers(text: str) -> set[int] | None:
    """'0-2,29' -> {0, 1, 2, 29}; '' -> None."""
    if not text:
        return None
    numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last) if dash else (first, first)
        if not all(end.isascii() and end.isdigit() for end in ends) or int(ends[0]) > int(ends[1]):
            raise InputError(f"--episodes {text}: give numbers and ranges, like '0-9,29'.")
        numbers |= set(range(int(ends[0]), int(ends[1]) + 1))
    return numbers


def _ways(
    meta: Meta,
    episodes: list[EpisodeMeta],
    states: tuple[str, ...],
    actions: tuple[str, ...],
    options: Options,
) -> list[Any]:
    """How each entry of the action is composed over the frames that are left out."""
    widths = [sum(meta.width(key) for key in keys) for keys in (states, actions)]
    measure = ActionMeasure(*widths)
    if options.compose == "auto" and states:
        # Spread over the set, so that one session does not decide for all.
        for item in episodes[:: max(1, len(episodes) // _MEASURED)]:
            table = read_columns(meta.data_file(item), (*states, *actions), item.rows)
            measure.add(column_rows(table, states), column_rows(table, actions))
    return list(ways(options.compose, measure, widths[1]))


@dataclass(frozen=True)
class _Source:
    """Where episodes are read from, and how."""

    meta: Meta
    camera: str
    states: tuple[str, ...]
    actions: tuple[str, ...]
    step: int
    how: list[Any]
    options: Options

    def read(self, item: EpisodeMeta) -> Episode:
        """One episode."""
        path = self.meta.data_file(item)
        pictures = () if self.meta.is_video(self.camera) else (self.camera,)
        wanted = (*self.states, *self.actions, *pictures)
        table = read_columns(path, (*wanted, *self.meta.optional("timestamp")), item.rows)
        length = len(next(iter(table.values())))
        what = f"{path}, episode {item.index}"
        if item.length is not None and item.length != length:
            raise InputError(
                f"{what}: {length} rows, meta/episodes says {item.length}; fetch both again."
            )
        kept = np.arange(0, length, self.step)
        states = column_rows(table, self.states) if self.states else None
        actions = column_rows(table, self.actions) if self.actions else None
        if actions is not None and self.step > 1:
            actions = compose(actions, kept, self.how)
        elif actions is not None:
            actions = actions[kept]
        times = table["timestamp"].reshape(-1)[kept] if "timestamp" in table else None
        return make_episode(
            self._images(item, table, length, what),
            None if states is None else states[kept],
            actions,
            f"episode-{item.index:06d}",
            what,
            self.options,
            times,
        )

    def _images(
        self, item: EpisodeMeta, table: Mapping[str, np.ndarray], length: int, what: str
    ) -> Iterator[np.ndarray]:
        if not self.meta.is_video(self.camera):
            for number in range(0, length, self.step):
                yield decode_image(table[self.camera][number], f"{what}, frame {number}")
            return
        video = self.meta.video_file(item, self.camera)
        start = item.video_start(self.camera)
        span = None if start is None else Span(start, length, self.meta.fps)
        count = 0
        # Frames that are left out are decoded too: a frame of a video builds on those before it.
        for image in read_video_file(video, str(video), span):
            if count % self.step == 0 and count < length:
                yield image
            count += 1
        if count != length:
            raise InputError(
                f"{video}: {count} frames, but the episode has {length} rows; fetch both again."
            )
