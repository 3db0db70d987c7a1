"""Strips and movies: every picture at its place, unchanged; the arrows' meaning."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.rollout.drawing import CONTEXT, action_arrow, displacements, enlarge, heat_map
from pixelpush.eval.rollout.movie import movie_frames
from pixelpush.eval.rollout.mp4 import write_mp4
from pixelpush.eval.rollout.video import RolloutVideo, rollout_strip, strip_layout


def video(
    steps: int = 3,
    samples: int = 2,
    truth: bool = True,
    colours: int = 3,
    size: int = 16,
    actions: int = 2,
) -> RolloutVideo:
    draw = np.random.default_rng(steps)

    def pictures(*shape: int) -> np.ndarray:
        return draw.integers(0, 256, (*shape, colours, size, size), dtype=np.uint8)

    heat = draw.gamma(2, 2, (steps, size, size))
    return RolloutVideo(
        title="a title",
        given=pictures(2),
        truth=pictures(steps) if truth else None,
        samples=pictures(samples, steps),
        heat=heat,
        heat_name="surprise",
        frame_nats=heat.mean(axis=(1, 2)) / colours,
        actions=draw.normal(size=(steps + 1, actions)).astype(np.float32),
        arrows=draw.normal(size=(steps + 1, 2)),
    )


def cell(pixels: np.ndarray, layout, row: int, column: int) -> np.ndarray:
    x, y = layout.at(row, column)
    return pixels[y : y + layout.cell[1], x : x + layout.cell[0]]


@pytest.mark.parametrize("colours", [1, 3])
def test_strip_shows_every_picture_unchanged(colours: int):
    one = video(colours=colours)
    layout, pixels = strip_layout(one), rollout_strip(one)
    assert pixels.shape == (layout.size[1], layout.size[0], 3)
    assert layout.columns == (0, 1, 2, 3, 4)
    low, high = one.heat_range
    for column in range(5):
        truth = one.given[column] if column < 2 else one.truth[column - 2]
        np.testing.assert_array_equal(
            cell(pixels, layout, 0, column), enlarge(truth, layout.factor)
        )
        for sample in range(2):
            found = cell(pixels, layout, 1 + sample, column)
            if column < 2:
                assert (found == 255).all()  # paper: the samples begin after the context
            else:
                np.testing.assert_array_equal(
                    found, enlarge(one.samples[sample, column - 2], layout.factor)
                )
        if column >= 2:
            heat = enlarge(heat_map(one.heat[column - 2], low, high), layout.factor)
            np.testing.assert_array_equal(cell(pixels, layout, 3, column), heat)


def test_context_is_framed():
    one = video()
    layout, pixels = strip_layout(one), rollout_strip(one)
    for column in range(5):
        x, y = layout.at(0, column)
        assert (tuple(pixels[y - 1, x + 5]) == CONTEXT) == (column < 2)


def test_long_rollouts_show_spread_columns_with_the_last():
    columns = strip_layout(video(steps=60)).columns
    assert len(columns) == 20
    assert columns[:3] == (0, 1, 2)
    assert columns[-1] == 61
    assert list(columns) == sorted(set(columns))


def test_pictures_of_a_strip_do_not_overlap():
    layout = strip_layout(video(samples=3))
    tops = sorted([*layout.rows, layout.actions])
    assert layout.rows[0] < layout.actions < layout.rows[1]
    assert all(
        b - a > layout.cell[1] for a, b in zip(layout.rows[:1], layout.rows[1:2], strict=True)
    )
    assert layout.actions + layout.action_height <= layout.rows[1]
    assert len(set(tops)) == 5 + 1


def test_movie_shows_samples_and_context():
    one = video()
    pictures = movie_frames(one)
    assert len(pictures) == 5
    side = 256 // 16 * 16
    found = pictures[3][34 : 34 + side, 6 : 6 + side]
    np.testing.assert_array_equal(found, enlarge(one.truth[1], 16))
    second = 6 + side + 12
    np.testing.assert_array_equal(
        pictures[3][34 : 34 + side, second : second + side], enlarge(one.samples[0, 1], 16)
    )
    np.testing.assert_array_equal(
        pictures[0][34 : 34 + side, second : second + side], enlarge(one.given[0], 16)
    )


@pytest.mark.parametrize(
    "one",
    [video(truth=False), video(actions=0), video(samples=9), video(steps=1), video(actions=7)],
)
def test_unusual_videos_can_be_drawn(one: RolloutVideo):
    assert rollout_strip(one).shape[2] == 3
    pictures = movie_frames(one)
    assert len(pictures) == one.frames
    assert pictures.shape[1] % 2 == pictures.shape[2] % 2 == 0
    assert pictures.shape[2] <= 1920


def test_same_frames_same_movie(tmp_path):
    pictures = movie_frames(video())
    for name in "ab":
        write_mp4(tmp_path / f"{name}.mp4", pictures, 5)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_heat_map_ends():
    ends = heat_map(np.array([[-5.0, 2.0, 9.0, 90.0]]), 2.0, 9.0).transpose(1, 2, 0)[0]
    dark, bright = (matplotlib.colormaps["inferno"](x, bytes=True)[:3] for x in (0.0, 1.0))
    np.testing.assert_array_equal(ends, [dark, dark, bright, bright])


@pytest.mark.parametrize(
    ("arrow", "side"), [((1, 0), "right"), ((-1, 0), "left"), ((0, 1), "up"), ((0, -1), "down")]
)
def test_arrow_points_where_it_should(arrow, side):
    dark = action_arrow(60, np.array(arrow, float), 1.0).min(axis=2)[3:-3, 3:-3] < 60
    rows, columns = np.nonzero(dark)
    offset = {
        "right": columns.mean() - 27,
        "left": 27 - columns.mean(),
        "up": 27 - rows.mean(),
        "down": rows.mean() - 27,
    }
    assert offset[side] > 5


def test_displacement_of_commanded_poses_and_of_changes():
    draw = np.random.default_rng(0)
    steps = draw.normal(size=(9, 3)).astype(np.float32)
    states = np.concatenate([np.zeros((1, 3)), steps.cumsum(0)]).astype(np.float32) + 5
    poses = np.concatenate([states[1:], states[-1:]])
    np.testing.assert_allclose(displacements(states, poses)[:9], steps[:, :2], atol=1e-5)
    changes = np.concatenate([steps, np.zeros((1, 3), np.float32)])
    np.testing.assert_allclose(displacements(states, changes)[:9], steps[:, :2], atol=1e-5)
    assert displacements(states, np.zeros((10, 0), np.float32)).shape == (10, 2)
    np.testing.assert_array_equal(
        displacements(np.zeros((10, 0), np.float32), changes), changes[:, :2]
    )


def test_a_movie_that_cannot_be_written_leaves_nothing(tmp_path):
    odd = np.zeros((2, 33, 32, 3), np.uint8)
    with pytest.raises(InputError, match=r"odd.mp4: ffmpeg could not write the movie"):
        write_mp4(tmp_path / "odd.mp4", odd, 5)
    assert list(tmp_path.iterdir()) == []
