"""Arms, objects and splits are as different, and as disjoint, as the documentation says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelpush.datasets.sim.arm import ARMS, HELD_OUT, TRAINING_ARMS
from pixelpush.datasets.sim.draw import Draw, uniforms
from pixelpush.datasets.sim.names import LABORATORIES, SPLITS
from pixelpush.datasets.sim.novel_kinds import NOVEL_KINDS
from pixelpush.datasets.sim.objects import POOL_SIZES, object_kind, object_parts
from pixelpush.datasets.sim.rotations import hand_rotation, pitch_yaw
from pixelpush.datasets.sim.scene import build_scene, camera_frame
from pixelpush.datasets.sim.seen_kinds import SEEN_KINDS
from pixelpush.datasets.sim.splits import (
    DEFAULT_EPISODES,
    EPISODES_PER_FILLING,
    FEWEST_OBJECTS,
    MOST_OBJECTS,
    filling_of,
)
from pixelpush.datasets.sim.stations import arm_index, arm_of


def test_ten_training_arms_and_one_held_out_all_differ():
    assert len(TRAINING_ARMS) == HELD_OUT == 10
    for a, b in itertools.combinations(ARMS, 2):
        assert (a.link, a.joint) != (b.link, b.joint)
        assert (a.thickness, a.reach, a.finger, a.boxy) != (b.thickness, b.reach, b.finger, b.boxy)
        assert (a.finger, a.finger_length) != (b.finger, b.finger_length)
        assert a.camera != b.camera
        assert a.light != b.light
        assert (a.floor, a.table) != (b.floor, b.table)


def test_held_out_camera_looks_from_where_no_training_camera_does():
    held_out, _ = camera_frame(ARMS[HELD_OUT])
    nearest = min(np.linalg.norm(camera_frame(arm)[0] - held_out) for arm in TRAINING_ARMS)
    assert nearest > 0.25  # metres


def test_pools_share_no_shape():
    assert not set(SEEN_KINDS) & set(NOVEL_KINDS)
    assert not set(SEEN_KINDS.values()) & set(NOVEL_KINDS.values())
    for pool, kinds in (("seen", SEEN_KINDS), ("novel", NOVEL_KINDS)):
        assert {object_kind(pool, n) for n in range(POOL_SIZES[pool])} == set(kinds)


@pytest.mark.parametrize("pool", POOL_SIZES)
def test_every_object_fits_the_bin_and_is_always_the_same(pool):
    for number in range(POOL_SIZES[pool]):
        parts = object_parts(pool, number)
        assert repr(parts) == repr(object_parts(pool, number))
        for part in parts:
            assert np.abs(part.position).max() + max(part.size) < 0.13
            assert min(part.size) > 0.001
            assert 0.1 < max(part.material.colour) <= 1


def test_every_arm_builds_with_every_kind_of_object():
    for arm in range(len(ARMS)):
        pool = "novel" if arm % 2 else "seen"
        scene = build_scene(ARMS[arm], pool, tuple(range(8)))
        assert len(scene.object_bodies) == 8
        assert len(scene.materials) == scene.model.ngeom
        assert not set(scene.object_bodies) & set(scene.arm_bodies)


@pytest.mark.parametrize("split", DEFAULT_EPISODES)
def test_fillings_of_a_split(split):
    fillings = [filling_of(split, number) for number in range(40)]
    assert {f.pool for f in fillings} == {"novel" if split == "test-novel" else "seen"}
    for filling in fillings:
        assert FEWEST_OBJECTS <= len(filling.objects) <= MOST_OBJECTS
        assert len(set(filling.objects)) == len(filling.objects)
        assert max(filling.objects) < POOL_SIZES[filling.pool]
    assert len(set(fillings)) == 40 // EPISODES_PER_FILLING


@pytest.mark.parametrize("laboratory", LABORATORIES)
def test_stations_of_a_laboratory(laboratory):
    """Training stations take turns; the test splits have the held-out one."""
    for split in SPLITS:
        found = [arm_index(laboratory, split, number) for number in range(40)]
        assert set(found) == ({HELD_OUT} if split.startswith("test") else set(range(10)))
        for number in range(0, 40, EPISODES_PER_FILLING):
            first, second = (arm_of(laboratory, split, number + k) for k in range(2))
            assert replace(first, camera=second.camera) == second
            assert found[number] == found[number + 1]


@given(st.floats(-1.2, 1.2), st.floats(-3.1, 3.1))
def test_pitch_and_yaw_survive_the_rotation(pitch, yaw):
    rotation = hand_rotation(pitch, yaw)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(pitch_yaw(rotation), (pitch, yaw), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63))
def test_uniforms_are_uniform(key):
    """Odds of a false failure: a mean 5 standard errors off, 1 in 1.7 million a key."""
    values = uniforms(4096, key)
    assert values.min() >= 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 5 / np.sqrt(12 * 4096)


def test_draws_depend_on_purpose_and_key_alone():
    first = [Draw("a", "train", 1).uniform() for _ in range(2)]
    assert first[0] == first[1]
    others = [
        Draw("b", "train", 1),
        Draw("a", "val", 1),
        Draw("a", "train", 2),
        Draw("a", 1, "train"),
    ]
    assert len({first[0], *(draw.uniform() for draw in others)}) == 5
    draw = Draw("range", 0)
    assert {draw.integer(3) for _ in range(60)} == {0, 1, 2}
    assert sorted(draw.order(9)) == list(range(9))
