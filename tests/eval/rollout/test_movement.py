"""Measures of what moves: each against pictures whose measure is known."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.eval.rollout.movement import (
    find_object,
    moving,
    moving_psnr,
    pushes,
    sharpness,
    stray_share,
)

SIDE = 24


def scene(column: int, row: int = 8) -> np.ndarray:
    """A floor with some grain and a red block of 4x4 pixels on it."""
    floor = np.random.default_rng(0).integers(90, 110, (3, SIDE, SIDE)).astype(np.uint8)
    floor[:, row : row + 4, column : column + 4] = np.array([200, 30, 40])[:, None, None]
    return floor


def test_what_moves_is_what_leaves_the_last_given_frame():
    last = scene(4)
    moves = moving(last, np.stack([scene(4), scene(6)]))
    assert not moves[0].any()
    expected = np.zeros((SIDE, SIDE), bool)
    expected[8:12, 4:6] = expected[8:12, 8:10] = True
    assert np.array_equal(moves[1], expected)


def test_psnr_of_what_moves_does_not_see_the_rest():
    truth = np.stack([scene(6)])
    moves = moving(scene(4), truth)
    sample = truth.copy()
    sample[0, :, 20:] = 0
    assert moving_psnr(truth, sample[None], moves)[0, 0] > 80
    sample = truth.copy()
    sample[0][:, moves[0]] += 10
    assert moving_psnr(truth, sample[None], moves)[0, 0] == pytest.approx(20 * np.log10(25.5))
    assert np.isnan(moving_psnr(truth, sample[None], np.zeros_like(moves))).all()


def test_sharpness_is_one_of_the_truth_less_of_blur_and_more_of_confetti():
    truth = np.stack([scene(6)])
    everywhere = np.ones((1, SIDE, SIDE), bool)
    assert sharpness(truth, truth[None], everywhere) == 1
    blurred = truth.astype(float)
    blurred = (blurred + np.roll(blurred, 1, 3) + np.roll(blurred, -1, 3)) / 3
    assert sharpness(truth, blurred.astype(np.uint8)[None], everywhere) < 0.6
    confetti = np.random.default_rng(1).permutation(truth.reshape(3, -1), axis=1)
    assert sharpness(truth, confetti.reshape(1, 1, 3, SIDE, SIDE), everywhere) > 1.5


def test_strays_are_counted_where_nothing_has_moved_so_far():
    last = scene(4)
    truth = np.stack([scene(6), scene(4)])
    sample = truth.copy()
    assert stray_share(truth, sample[None], last) == 0
    sample[1, 0, 9, 5] = 90  # where the block was moved before: not still
    assert stray_share(truth, sample[None], last) == 0
    sample[1, 0, 0, 0] += 21
    still = 2 * (SIDE**2 - 16)
    assert stray_share(truth, sample[None], last) == pytest.approx(1 / still)


def test_an_object_is_found_where_it_went_and_nowhere_better_than_at_home():
    mask = np.zeros((SIDE, SIDE), bool)
    mask[8:12, 4:8] = True
    move, error = find_object(scene(4), mask, scene(9, row=6))
    assert move.tolist() == [5, -2]
    assert error == 0
    move, error = find_object(scene(4), mask, scene(4))
    assert move.tolist() == [0, 0]


def labelled(columns: list[int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """An episode whose block goes along these columns, one pixel a centimetre, with its labels."""
    frames = np.stack([scene(column) for column in columns])
    length = len(columns)
    poses = np.zeros((length, 1, 7), np.float32)
    poses[:, 0, 0] = np.array(columns) / 100
    places = np.ones((length, 1, 3), np.float32)
    places[:, 0, 0] = np.array(columns) + 1.5
    segmentation = np.zeros((length, SIDE, SIDE), np.uint8)
    for time, column in enumerate(columns):
        segmentation[time, 8:12, column : column + 4] = 2
    visible = np.ones((length, 1), np.float32)
    labels = {"object_poses": poses, "object_places": places, "object_visible": visible}
    return frames, {**labels, "segmentation": segmentation}


def test_a_push_is_followed_if_the_sample_moves_the_object_half_as_far_in_the_right_direction():
    frames, extra = labelled([4, 4, 6, 8, 10])
    samples = np.stack(
        [
            np.stack([scene(6), scene(8), scene(10)]),  # as it was
            np.stack([scene(4), scene(6), scene(7)]),  # half as far
            np.stack([scene(4), scene(4), scene(4)]),  # not at all
            np.stack([scene(3), scene(2), scene(0)]),  # the other way
            np.stack([scene(9), scene(14), scene(18)]),  # found more than twice as far
        ]
    )
    found = pushes(frames, samples, extra, context=2)
    assert [push.follows for (push,) in found] == [True, True, False, False, False]
    assert [push.distance for (push,) in found] == [0, 3, 6, 10, 8]
    still, extra = labelled([4, 4, 4, 5, 6])  # 2 cm are no push
    assert pushes(still, samples, extra, context=2) == [[]] * 5
