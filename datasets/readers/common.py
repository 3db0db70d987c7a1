"""What the readers of a user's own recordings share: options, and putting an episode together."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pixelpush.datasets.augment import Reflection
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.frames import FrameOptions, SameSize
from pixelpush.errors import InputError


@dataclass(frozen=True)
class RobotOptions(FrameOptions):
    """Options of every reader of a user's own recordings.

    Example:
        >>> RobotOptions(mirror_states="1,4", mirror_actions="none").mirror
        [(1, 4), ()]
    """

    mirror_states: str = ""
    """Entries of the state, from 0, that change sign when pictures are mirrored left to right,
    like '1,4', or none. Given with --mirror-actions, the store can be trained on with --mirror."""
    mirror_actions: str = ""
    """The same of the action."""

    def __post_init__(self):
        super().__post_init__()
        if (self.mirror_states == "") != (self.mirror_actions == ""):
            raise InputError(
                "give both --mirror-states and --mirror-actions; 'none' where no entry changes "
                "sign."
            )
        _ = self.mirror

    @property
    def mirror(self) -> list[tuple[int, ...]] | None:
        """Entries of state and action that change sign; None where it is not known.

        >>> RobotOptions().mirror is None
        True
        """
        if self.mirror_states == "":
            return None
        return [
            _entries(self.mirror_states, "--mirror-states"),
            _entries(self.mirror_actions, "--mirror-actions"),
        ]


def _entries(text: str, option: str) -> tuple[int, ...]:
    """'1,4' -> (1, 4), 'none' -> ()."""
    parts = [] if text == "none" else text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise InputError(f"{option} {text}: give numbers of entries, from 0, like '1,4', or none.")
    return tuple(int(part) for part in parts)


def names_of(text: str) -> tuple[str, ...]:
    """The names in a list with commas.

    >>> names_of("x, y")
    ('x', 'y')
    """
    return tuple(name.strip() for name in text.split(",") if name.strip())


def choose_camera(cameras: Sequence[str], asked: str | None, what: str) -> str:
    """The camera that is asked for, by its whole name or its last part; with no name the only one.

    ``what`` names the recording. Several, none or another are an InputError that lists them.

    >>> choose_camera(["observation.images.top", "observation.images.wrist"], "top", "the set")
    'observation.images.top'
    """
    if not cameras:
        raise InputError(
            f"{what}: no camera: none of its features are pictures; fetch the set with its "
            "pictures."
        )
    if asked is None:
        if len(cameras) == 1:
            return cameras[0]
        raise InputError(
            f"{what}: {len(cameras)} cameras ({', '.join(cameras)}); choose one by --camera."
        )
    if asked in cameras:
        return asked
    # Keys are parted by dots (LeRobot) or by slashes (RLDS, HDF5).
    ends = [name for name in cameras if name.replace(".", "/").rsplit("/", 1)[-1] == asked]
    if len(ends) == 1:
        return ends[0]
    raise InputError(f"{what}: no camera {asked!r}; it has {', '.join(cameras)}.")


def make_episode(
    images: Iterable[np.ndarray],
    states: np.ndarray | None,
    actions: np.ndarray | None,
    identity: str,
    where: str,
    options: RobotOptions,
    times: np.ndarray | None = None,
) -> Episode:
    """Fit the pictures, uint8 (H, W, 3) each, and join them with states (T, S) and actions (T, A).

    times: seconds of each frame, kept as ``extra["time"]``. Raises InputError where sizes or
    lengths differ, naming the frame.

    >>> images = [np.zeros((12, 16, 3), np.uint8)] * 2
    >>> episode = make_episode(images, np.ones((2, 5)), None, "a", "a.mp4", RobotOptions(size=8))
    >>> episode.frames.shape, episode.states.shape, episode.actions.shape
    ((2, 3, 8, 8), (2, 5), (2, 0))
    """
    same = SameSize()
    fitted = []
    for number, image in enumerate(images):
        same.check(image, f"{where}, frame {number}")
        fitted.append(options.fit(image))
    if not fitted:
        raise InputError(f"{where}: the episode has no frames; leave it out.")
    frames = np.ascontiguousarray(np.stack(fitted).transpose(0, 3, 1, 2))
    rows = {
        "states": np.zeros((len(frames), 0), np.float32) if states is None else states,
        "actions": np.zeros((len(frames), 0), np.float32) if actions is None else actions,
    }
    for name, found in rows.items():
        if len(found) != len(frames):
            raise InputError(
                f"{where}: {len(frames)} frames but {len(found)} rows of {name}; they must be as "
                "many."
            )
    for (name, found), mirrored in zip(rows.items(), options.mirror or [None] * 2, strict=True):
        if mirrored is not None:  # refuses what a reader of the store would
            Reflection.negating(mirrored, found.shape[1], f"the {name[:-1]} of {where}")
    extra = {} if times is None else {"time": np.asarray(times, np.float64)}
    return Episode(
        frames,
        rows["states"].astype(np.float32),
        rows["actions"].astype(np.float32),
        identity,
        extra,
    )


def array_frames(array: np.ndarray, what: str, bgr: bool = False) -> Iterable[np.ndarray]:
    """The pictures uint8 (H, W, 3) of an array (T, H, W, 1 or 3) of whole numbers 0 to 255.

    They may be stored as floats. bgr: the array holds blue, green, red. Raises InputError, naming
    ``what``, for other shapes and values.

    >>> blue = np.array([255, 0, 0], np.uint8).reshape(1, 1, 1, 3)
    >>> [image.tolist() for image in array_frames(blue, "frames", bgr=True)]
    [[[[0, 0, 255]]]]
    """
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or 0 in array.shape:
        raise InputError(
            f"{what}: {array.dtype} {array.shape}; whole numbers (T, H, W, 3) from 0 to 255 are "
            f"needed{_how_to_reshape(array)}."
        )
    if array.dtype != np.uint8:
        _check_levels(array, what)
    for image in array:
        image = np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
        yield np.ascontiguousarray((image[..., ::-1] if bgr else image).astype(np.uint8))


def _how_to_reshape(array: np.ndarray) -> str:
    """What to do about an array with its colours before its rows."""
    colours_first = array.ndim == 4 and array.shape[1] in (1, 3)
    return "; save it after array.transpose(0, 2, 3, 1)" if colours_first else ""


def _check_levels(array: np.ndarray, what: str) -> None:
    """Refuse values that are not whole numbers from 0 to 255; those up to 1 are another scale."""
    low = array.min()
    high = array.max()
    if not (low >= 0 and high <= 255):
        raise InputError(
            f"{what}: values from {low:g} to {high:g}; 0 to 255 are needed; scale and save it so."
        )
    if array.dtype.kind == "f" and (high <= 1 or np.any(array != np.rint(array))):
        raise InputError(
            f"{what}: {array.dtype} values from {low:g} to {high:g}; whole numbers from 0 to 255 "
            f"are needed{'; save (255 * array).round().astype(uint8)' if high <= 1 else ''}."
        )


@dataclass(frozen=True)
class VectorChoice:
    """The arrays of a recording that can make up a state or an action, side by side.

    there: their names. offered: those that a message should offer. noun: what the recording's form
    calls them. where: the file, for messages.

    >>> found = ["position", "rotation"]
    >>> choice = VectorChoice(found, found, "array", "a.h5")
    >>> choice.keys("", [("joints",), ("position", "rotation")], "state")
    ('position', 'rotation')
    """

    there: Container[str]
    offered: Sequence[str]
    noun: str
    where: object

    def keys(self, asked: str, usual: Iterable[Sequence[str]], kind: str) -> tuple[str, ...]:
        """The names of a vector's arrays.

        asked: as --state-key takes them, 'none' for none; where nothing is asked, the first of the
        ``usual`` groups that is there. kind: state or action. Raises InputError that lists what is
        offered.

        >>> choice = VectorChoice(["qpos"], ["qpos"], "array", "a.h5")
        >>> choice.keys("none", [("qpos",)], "state"), choice.keys("", [("qpos",)], "state")
        ((), ('qpos',))
        """
        if asked == "none":
            return ()
        names = names_of(asked)
        # No name was asked for: the first of the usual groups of which every array is there.
        if not names:
            whole = (tuple(group) for group in usual if all(name in self.there for name in group))
            names = next(whole, ())
        wrong = [name for name in names if name not in self.there]
        if wrong or not names:
            lacking = f"{self.noun} {wrong[0]!r}" if wrong else f"{kind} under its usual names"
            raise InputError(
                f"{self.where}: no {lacking}; choose by --{kind}-key from "
                f"{', '.join(self.offered)}, or give none."
            )
        return names


def robot_metadata(source: str, options: RobotOptions, **more: object) -> dict[str, object]:
    """The metadata that every store of a user's own recordings has; ``more`` adds to it.

    >>> robot_metadata("folder", RobotOptions(), fps=10)["frames"]
    {'size': 64, 'crop': 'centre', 'resize': 'auto'}
    """
    return {
        "source": source,
        "frames": options.described(),
        "mirror": options.mirror,
        "options": asdict(options),
        **more,
    }
