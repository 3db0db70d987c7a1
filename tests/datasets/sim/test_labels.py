"""Labels are where the things are: against points projected by hand and against the
segmentation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelpush.datasets.sim.arm import ARMS
from pixelpush.datasets.sim.generate import labeller_of, simulate_episode
from pixelpush.datasets.sim.labels import ARM_POINTS, Labeller, project
from pixelpush.datasets.sim.renderer import ARM, FIRST_OBJECT
from pixelpush.datasets.sim.scene import build_scene, camera_frame


@pytest.mark.parametrize("arm", [ARMS[0], ARMS[-1]])
@pytest.mark.parametrize("size", [64, 256])
def test_a_point_is_projected_to_the_pixel_whose_middle_ray_meets_it(arm, size):
    """Points along the rays through pixel middles, built from the camera's angles anew."""
    eye, rotation = camera_frame(arm)
    half = math.tan(math.radians(arm.camera.field_of_view) / 2)
    for column, row in ((0, 0), (size - 1, 3), (17, size - 1), (size // 2, size // 2)):
        x = ((column + 0.5) * 2 / size - 1) * half
        y = (1 - (row + 0.5) * 2 / size) * half
        for depth in (0.4, 1.5):
            point = eye + depth * (rotation @ np.array([x, y, -1.0]))
            place = project(arm, point[None], size)[0]
            np.testing.assert_allclose(place, [column, row, 1], atol=1e-4)


def test_the_frame_ends_half_a_pixel_beyond_the_outer_pixels():
    arm, size = ARMS[0], 64
    eye, rotation = camera_frame(arm)
    half = math.tan(math.radians(arm.camera.field_of_view) / 2)
    for x, flag in ((-half * 0.999, 1), (-half * 1.001, 0), (half * 0.999, 1), (half * 1.001, 0)):
        across, along = (eye + rotation @ np.array(v) for v in ([x, 0, -1.0], [0, x, -1.0]))
        found = project(arm, np.stack([across, along]), size)
        assert found[:, 2].tolist() == [flag, flag]
    behind = eye + rotation @ np.array([0.0, 0.0, 1.0])
    assert project(arm, behind[None], size)[0].tolist() == [0, 0, 0]


def test_places_scale_with_the_frame(episode):
    """The same points at 128 pixels: twice as far from the picture's upper left corner."""
    rollout = simulate_episode("sim", "val", 0)
    small = episode("val", 0).extra
    large = labeller_of("sim", "val", 0, 128).label(rollout.configurations[7])
    for name in ("arm_places", "object_places"):
        np.testing.assert_allclose(
            (large[name][:, :2] + 0.5) / 2, small[name][7, :, :2] + 0.5, atol=1e-4
        )
    np.testing.assert_array_equal(large["object_visible"], small["object_visible"][7])


@pytest.mark.parametrize(("split", "number"), [("train", 0), ("test-novel", 0)])
def test_the_arm_is_drawn_at_its_points(split, number, episode):
    """Wrist, hand and fingertip lie on pixels of the arm or near some; the fingertip is where
    the state says."""
    made = episode(split, number)
    scene = labeller_of("sim", split, number, 64)._arm
    tips = project(scene, made.states[:, :3].astype(float), 64)
    places = made.extra["arm_places"]
    np.testing.assert_allclose(places[:, ARM_POINTS.index("fingertip"), :2], tips[:, :2], atol=1e-3)
    checked = 0
    for time in range(20):
        rows, columns = np.nonzero(made.extra["segmentation"][time] == ARM)
        for point in ("wrist", "hand", "fingertip"):
            column, row, inside = places[time, ARM_POINTS.index(point)]
            if inside and 2 < column < 61 and 2 < row < 61:
                checked += 1
                assert np.hypot(rows - row, columns - column).min() < 4
    assert checked > 20


def test_arm_points_are_as_far_apart_as_the_links_are_long():
    """In metres, through the labeller's own model: shoulder to elbow and elbow to wrist."""
    labeller = labeller_of("sim", "val", 0, 64)
    labeller.label(simulate_episode("sim", "val", 0).configurations[3])
    place = labeller._data.xpos[labeller._arm_bodies]
    reach = labeller._arm.reach
    for near, far in ((1, 2), (2, 3)):
        assert np.linalg.norm(place[far] - place[near]) == pytest.approx(0.4 * reach, abs=1e-9)


@pytest.mark.parametrize(("split", "number"), [("train", 0), ("test-novel", 0)])
def test_visible_shares_agree_with_the_segmentation(split, number, episode):
    """Of objects rendered with and without the rest of the world, label pixels give the same
    share, within what 64 x 64 pixels can tell."""
    made = episode(split, number)
    shares, labels = made.extra["object_visible"], made.extra["segmentation"]
    assert shares.min() >= 0
    assert shares.max() <= 1
    labeller = labeller_of("sim", split, number, 64)
    worst, hidden = 0.0, 0
    for time in (0, 10, 19):
        labeller.label(simulate_episode("sim", split, number).configurations[time])
        for slot, share in enumerate(shares[time]):
            alone = len(labeller._alone[slot][1]) / 4  # rays of a 128 grid, in pixels of 64
            seen = np.count_nonzero(labels[time] == FIRST_OBJECT + slot)
            worst = max(worst, abs(seen - share * alone) / (alone + 4 * math.sqrt(alone)))
            hidden += share < 0.6
    assert worst < 0.15  # a pixel is one object's where most of its samples are
    assert hidden


def test_an_object_behind_another_is_hidden_and_one_outside_has_no_share():
    """A block before the camera's eye hides what lies behind it on the line of sight."""
    scene = build_scene(ARMS[0], "seen", (0, 12, 24))
    labeller = Labeller(scene, 64)
    eye, _ = camera_frame(scene.arm)
    configuration = scene.model.qpos0.copy()
    poses = configuration[7:].reshape(-1, 7)
    poses[:, 3:] = [1, 0, 0, 0]
    far = np.array([0.1, 0.1, 0.05])
    poses[0, :3] = far + 0.8 * (eye - far)  # near the camera: large in the picture
    poses[1, :3] = far
    poses[2, :3] = [5.0, 5.0, 0.5]
    label = labeller.label(configuration)
    assert label["object_visible"].tolist() == [1.0, 0.0, 0.0]
    assert label["object_places"][:, 2].tolist() == [1, 1, 0]
    poses[0, :3] = [-5.0, 5.0, 0.5]
    assert labeller.label(configuration)["object_visible"].tolist() == [0.0, 1.0, 0.0]


def test_labelling_leaves_the_scene_to_the_renderer():
    """The labeller groups geoms of a model of its own."""
    scene = build_scene(ARMS[0], "seen", tuple(range(8)))
    groups = scene.model.geom_group.copy()
    Labeller(scene, 64).label(scene.model.qpos0)
    np.testing.assert_array_equal(scene.model.geom_group, groups)
