"""The frames of an episode of a folder: numbered images, a video, or an array."""

from __future__ import annotations

import fnmatch
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixelpush.datasets.arrays import decode_array
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import decimal_times, in_order, missing_numbers
from pixelpush.datasets.readers.common import array_frames
from pixelpush.datasets.readers.folder_files import (
    IMAGES,
    VIDEOS,
    Files,
    FolderFiles,
    of_camera,
    one_of,
    series_of,
)
from pixelpush.datasets.video import frame_times, read_video, read_video_file
from pixelpush.errors import InputError

if TYPE_CHECKING:
    from pixelpush.datasets.readers.folder import Options

_CHOOSE = "--camera or --frames-key"


@dataclass(frozen=True)
class Pictures:
    """An episode's pictures, read one at a time.

    images: uint8 (H, W, 3) each. count: how many, where it is known. times: asks for the seconds of
    each, where they can be known. named_times: those that the files' names give.

    >>> Pictures([np.zeros((8, 8, 3), np.uint8)], count=1).times is None
    True
    """

    images: Iterable[np.ndarray]
    count: int | None = None
    times: Callable[[], np.ndarray] | None = None
    named_times: np.ndarray | None = None


def find_pictures(files: Files, options: Options) -> Pictures:
    """The pictures of whichever form is there; none, or several cameras, are an InputError.

    >>> import tempfile
    >>> from pixelpush.datasets.images import encode_png
    >>> from pixelpush.datasets.readers.folder import Options
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("0.5.png", "0.25.png"):
    ...         data = encode_png(np.zeros((8, 8, 3), np.uint8))
    ...         size = (Path(folder) / name).write_bytes(data)
    ...     find_pictures(FolderFiles(Path(folder)), Options()).named_times.tolist()
    [0.25, 0.5]
    """
    wanted = options.frames_key or "*"
    camera = options.camera
    images = [
        name
        for name in files.names()
        if name.lower().endswith(IMAGES)
        and fnmatch.fnmatchcase(name, wanted)
        and (camera is None or of_camera(name, camera))
    ]
    if images:
        return _image_series(files, images, options)
    video = one_of(files, options.frames_key, VIDEOS, "video", _CHOOSE, camera)
    if video is not None:
        return _video(files, video)
    pattern = options.frames_key or "*frames.npy"
    array = one_of(files, pattern, (".npy",), "array of frames", _CHOOSE, camera)
    if array is None:
        raise _no_frames(files, options)
    what = f"{files.path}/{array}"
    decoded = decode_array(files.read(array), what)
    return Pictures(array_frames(decoded, what, options.bgr), len(decoded))


def _image_series(files: Files, images: list[str], options: Options) -> Pictures:
    series = series_of(images)
    if len(series) > 1:
        raise InputError(
            f"{files.path}: images of {len(series)} series ({', '.join(sorted(series)[:4])}); "
            f"choose one by {_CHOOSE}."
        )
    names = in_order(images)
    times = decimal_times(names)
    gap = missing_numbers(names) if times is None else None
    if gap is not None and options.gaps == "refuse":
        raise InputError(
            f"{files.path}: a frame is missing: {gap[1]} comes right after {gap[0]}; restore it, "
            "or accept the jump by --gaps keep."
        )
    named = None if times is None else np.array([times[name] for name in names])

    def decode() -> Iterator[np.ndarray]:
        for name in names:
            what = f"{files.path}/{name}"
            yield decode_image(files.read(name), what, levels=options.level_range)

    return Pictures(decode(), len(names), None if named is None else lambda: named, named)


def _video(files: Files, video: str) -> Pictures:
    what = f"{files.path}/{video}"
    if isinstance(files, FolderFiles):
        path = files.path / video
        return Pictures(read_video_file(path, what), times=lambda: frame_times(path, what))

    def times() -> np.ndarray:
        # The times of frames are read from a file that can be sought in, which a zip member is not.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"video{Path(video).suffix.lower()}"
            path.write_bytes(files.read(video))
            return frame_times(path, what)

    return Pictures(read_video(files.read(video), what), times=times)


def _no_frames(files: Files, options: Options) -> InputError:
    asked = [f" called {options.frames_key}" if options.frames_key else ""]
    asked += [f" of camera {options.camera}" if options.camera else ""]
    there = sorted(files.names())
    shown = ", ".join(there[:6]) + (", ..." if len(there) > 6 else "") if there else "nothing"
    if not asked[0] and any(name.endswith(".npy") for name in there):
        arrays = ", ".join(name for name in there if name.endswith(".npy"))
        return InputError(
            f"{files.path}: no frames by a usual name; is one of {arrays} their array? Name it by "
            "--frames-key."
        )
    return InputError(
        f"{files.path}: no frames{''.join(asked)} (it holds {shown}); PNG, JPEG or WebP images, a "
        f"video ({', '.join(VIDEOS)}) or frames.npy are read."
    )
