"""Lessons in drawing: which frames are taken, and what lies behind the arm."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.training.drawing_lesson import LESSON, drawing_lesson


def crossing(length: int) -> Episode:
    """A white pixel that goes along a grey row, one step a frame; the state is its column."""
    frames = np.full((length, 3, 4, length), 100, np.uint8)
    for time in range(length):
        frames[time, :, 1, time] = 255
    columns = np.arange(length, dtype=np.float32)[:, None]
    return Episode(frames, columns, columns + 1, "crossing")


def test_what_lies_behind_is_the_picture_without_what_moves():
    for length in (3, 4, 20):
        assert np.all(drawing_lesson(crossing(length), 77)["behind"] == 100)


def test_each_frame_follows_the_state_and_action_at_its_time():
    for draw in range(0, 2**24, 123_457):
        lesson = drawing_lesson(crossing(20), draw)
        assert tuple(lesson) == LESSON
        start = int(lesson["states"][0, 0])
        assert 0 <= start <= 5
        assert lesson["first"][0, 1].argmax() == start
        for time, frame in zip(lesson["times"], lesson["frames"], strict=True):
            assert frame[0, 1].argmax() == lesson["states"][time, 0] + 1
            assert lesson["actions"][time, 0] == lesson["states"][time, 0] + 1


def test_lessons_of_one_length_have_one_shape():
    shapes = {
        tuple(array.shape for array in drawing_lesson(crossing(20), draw).values())
        for draw in range(0, 2**24, 999_983)
    }
    assert len(shapes) == 1
