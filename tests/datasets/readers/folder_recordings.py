"""Writes a user's own recordings, as tests of the folder reader take them."""

from __future__ import annotations

import cv2

HEADER = "time,state_x,state_y,action_dx"


def rows(length, start=0.0):
    return [[t / 10, start + t, start - t, t * 0.25] for t in range(length)]


def csv_text(length, start=0.0):
    lines = [",".join(map(str, row)) for row in rows(length, start)]
    return "\n".join([HEADER, *lines]) + "\n"


def write_images(folder, frames, ending="png", name="frame_{}"):
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{name.format(index)}.{ending}"), frame[..., ::-1])
