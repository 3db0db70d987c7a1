"""Saving rays changes nothing: frames equal those made the obvious way, whatever came before
them."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.culling import Probes, View
from pixelpush.datasets.sim.generate import scene_of, simulate_episode
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.renderer import ARM, BACKGROUND, FIRST_OBJECT, Renderer
from pixelpush.datasets.sim.scene import camera_frame

CASES = [("train", 0), ("train", 2), ("test-novel", 0)]


def _scene(split, number):
    return scene_of("sim", split, number)


@pytest.mark.parametrize(("split", "number"), CASES)
def test_culling_changes_no_byte(split, number, episode, monkeypatch):
    expected = episode(split, number)
    everywhere = np.ones(64 * 64, bool)
    monkeypatch.setattr(View, "may_cover", lambda self, centres, radius: everywhere)
    monkeypatch.setattr(Probes, "may_shade", lambda self, centres, radius: everywhere)
    rollout = simulate_episode("sim", split, number)
    chosen = [0, 13]
    frames, labels = Renderer(_scene(split, number), 64).render(
        rollout.configurations[chosen], rollout.moved[chosen]
    )
    np.testing.assert_array_equal(frames, expected.frames[chosen])
    # A label away from all that moves is its first sample's, else that of most samples: edges may
    # differ, by a pixel.
    assert (labels != expected.extra["segmentation"][chosen]).mean() < 0.01


def test_a_frame_does_not_depend_on_the_ones_before(episode):
    rollout = simulate_episode("sim", "train", 2)
    renderer = Renderer(_scene("train", 2), 64)
    backwards, _ = renderer.render(rollout.configurations[::-1][:5], rollout.moved[::-1][:5])
    np.testing.assert_array_equal(backwards[::-1], episode("train", 2).frames[-5:])


def test_treating_still_things_as_moving_gives_the_same_picture(episode):
    """The split into still and moving is for speed: contact shadows may differ a little, nothing
    else."""
    rollout = simulate_episode("sim", "train", 2)
    moved = rollout.moved[:2]
    assert not moved.all()
    frames, labels = Renderer(_scene("train", 2), 64).render(
        rollout.configurations[:2], np.ones_like(moved)
    )
    expected = episode("train", 2)
    difference = np.abs(frames.astype(int) - expected.frames[:2])
    assert (difference > 6).mean() < 0.02
    assert (labels != expected.extra["segmentation"][:2]).mean() < 0.01


def test_labels_lie_where_the_objects_are(episode):
    made = episode("train", 0)
    scene = _scene("train", 0)
    eye, rotation = camera_frame(scene.arm)
    half = np.tan(np.radians(scene.arm.camera.field_of_view) / 2)
    labels = made.extra["segmentation"]
    assert {BACKGROUND, ARM} < set(np.unique(labels))
    centred = 0
    for slot in range(len(made.extra["objects"])):
        for frame in (0, 19):
            x, y, back = rotation.T @ (made.extra["object_poses"][frame, slot, :3] - eye)
            column, row = ((v / -back / half + 1) / 2 * 64 for v in (x, -y))
            rows, columns = np.nonzero(labels[frame] == FIRST_OBJECT + slot)
            if rows.size:  # else hidden by the arm
                near = np.hypot(rows + 0.5 - row, columns + 0.5 - column).min()
                centred += 1
                assert near < 4
    assert centred > len(made.extra["objects"])


def test_objects_are_drawn_where_nothing_hides_them(episode):
    labels = episode("test-seen", 0).extra["segmentation"][0]
    visible = np.bincount(labels.ravel(), minlength=FIRST_OBJECT)[FIRST_OBJECT:]
    assert (visible > 0).mean() > 0.8
    assert (labels == ARM).mean() < 0.25


def test_tone_curve_is_monotonic_and_keeps_off_the_ends():
    light = np.linspace(0, 2, 5000, dtype=np.float32)
    levels = develop(light).astype(int)
    assert levels[0] == 0
    assert (np.diff(levels) >= 0).all()
    assert 240 < levels[-1] <= 255


def test_configuration_layout():
    scene = _scene("train", 0)
    assert scene.model.nq == JOINTS + 7 * len(scene.object_bodies)
