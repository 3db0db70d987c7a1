"""Compiled rays, and blobs, give to the bit what the obvious way gives."""

from __future__ import annotations

import copy
import subprocess
import sys

import mujoco
import numba
import numpy as np
import pytest

from pixelpush.datasets.sim.blobs import Blobs, contact_darkening
from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.generate import scene_of, simulate_episode
from pixelpush.datasets.sim.rays import PixelRays, RayCaster
from pixelpush.datasets.sim.scene import GUARD_GROUP

f32 = np.float32


@pytest.fixture(scope="module")
def posed():
    """A scene in the middle of an episode: arm, model, its pose, rays through some pixels."""
    scene = scene_of("sim", "train", 0)
    model = copy.copy(scene.model)
    data = mujoco.MjData(model)
    data.qpos[:] = simulate_episode("sim", "train", 0).configurations[9]
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)
    rays = PixelRays(scene.arm, 64)
    return scene, model, data, rays.eye, rays.through(range(1), np.arange(64 * 64))[0]


def obvious(model, data, origin, rays, bodies):
    """MuJoCo's own choice of geoms, by groups."""
    model = copy.copy(model)
    wanted = bodies[model.geom_bodyid] & (model.geom_group != GUARD_GROUP)
    model.geom_group[:] = np.where(wanted, 0, 1)
    mask = np.array([1, 0, 0, 0, 0, 0], np.uint8)
    count = len(rays)
    geom = np.full(count, -1, np.int32)
    distance = np.full(count, -1.0)
    normal = np.zeros((count, 3))
    mujoco.mj_multiRay(
        model, data, origin, rays.ravel(), mask, True, -1, geom, distance, normal.ravel(), count, 20
    )
    return geom, distance, normal


def choices(scene, count):
    arm = np.isin(np.arange(count), scene.arm_bodies)
    objects = np.isin(np.arange(count), scene.object_bodies[::2])
    return [arm, objects, arm | objects, np.ones(count, bool), np.zeros(count, bool)]


def test_rays_at_some_bodies_meet_what_rays_at_their_geoms_meet(posed):
    scene, model, data, eye, rays = posed
    caster = RayCaster(model, data)
    for bodies in choices(scene, model.nbody):
        hits = caster.cast(eye, rays, bodies)
        geom, distance, normal = obvious(model, data, eye, rays, bodies)
        np.testing.assert_array_equal(hits.geom, geom)
        np.testing.assert_array_equal(hits.distance, np.where(geom < 0, np.inf, distance))
        np.testing.assert_array_equal(hits.normal, normal)
    assert len(caster.cast(eye, rays[:0], bodies).geom) == 0


def test_points_are_hidden_where_a_ray_from_the_lamp_ends_before_them(posed):
    """On the table, below the bin's floor, and in the bin; of three lamps."""
    scene, model, data, eye, rays = posed
    everything = np.ones(model.nbody, bool)
    caster = RayCaster(model, data)
    points = eye + rays * caster.cast(eye, rays, everything).distance[:, None]
    assert (points[:, 2] < -0.05).any()
    aside = np.array([[0, 0, 0], [0.1, 0, 0], [0, -0.1, 0.05]])
    lamps = scene.arm.light.position + aside
    lamp = np.arange(len(points)) % 3
    for bodies in choices(scene, model.nbody):
        hidden = caster.hidden(lamps, lamp, points, bodies)
        for number, place in enumerate(lamps):
            of = lamp == number
            away = points[of] - place
            far = np.sqrt((away**2).sum(axis=1))
            geom, found, _ = obvious(model, data, place, away / far[:, None], bodies)
            np.testing.assert_array_equal(hidden[of], (geom >= 0) & (found < far - 2e-3))
    assert caster.hidden(lamps, lamp[:0], points[:0], everything).shape == (0,)


def test_rays_meet_what_mujocos_rays_meet():
    """Random primitives of the five kinds, from outside and from within, grazing rays included; the
    model has no bounding volumes, whose angles may cut off a corner."""
    draw = np.random.default_rng(5)
    for _ in range(20):
        spec = mujoco.MjSpec()
        for kind in ("SPHERE", "CAPSULE", "ELLIPSOID", "CYLINDER", "BOX") * 3:
            spec.worldbody.add_geom(
                type=getattr(mujoco.mjtGeom, f"mjGEOM_{kind}"),
                size=draw.uniform(0.02, 0.2, 3),
                pos=draw.uniform(-0.4, 0.4, 3),
                quat=draw.normal(size=4) if draw.uniform() < 0.7 else [1, 0, 0, 0],
            )
        model = spec.compile()
        model.body_bvhadr[:] = -1
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        caster = RayCaster(model, data)
        for place in draw.uniform(-1, 1, (10, 3)):
            rays = draw.uniform(-0.5, 0.5, (300, 3)) - place
            rays[:30, 2] = 0  # along the faces of upright ones
            rays /= np.sqrt((rays**2).sum(axis=1))[:, None]
            hits = caster.cast(place, rays, caster.everything)
            geom, distance, normal = obvious(model, data, place, rays, caster.everything)
            np.testing.assert_array_equal(hits.geom, geom)
            np.testing.assert_array_equal(hits.distance, np.where(geom < 0, np.inf, distance))
            np.testing.assert_array_equal(hits.normal, normal)
            far = draw.uniform(0.1, 2, len(rays))
            points = place + rays * far[:, None]
            lamp = np.zeros(len(rays), int)
            hidden = caster.hidden(place[None], lamp, points, caster.everything)
            before = (geom >= 0) & (distance < far - 2e-3)
            assert (hidden == before)[np.abs(distance - far + 2e-3) > 1e-9].all()


def test_numba_is_loaded_only_where_frames_are_made():
    code = "import sys, pixelpush.datasets.sim.opening, pixelpush.datasets.sim.environment"
    code += ", pixelpush.datasets.sim.labels; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code]).returncode == 0


def test_functions_are_compiled_where_no_cache_can_be_written(monkeypatch):
    """As Numba does with a read-only installation and no home."""

    def refusing(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    njit = numba.njit
    monkeypatch.setattr(numba, "njit", refusing)
    assert compiled(lambda x: x / 2)(3.0) == 1.5


def test_blobs_darken_what_they_reach_one_after_the_other():
    """Against each blob at every point, in the order of the blobs; points that lie beside each
    other, and points that do not."""
    draw = np.random.default_rng(3)
    count = 5000
    point = draw.uniform((-0.8, -0.8, -0.1), (0.8, 0.8, 0.9), (count, 3)).T.astype(f32)
    point[:, :200] = np.round(point[:, :200] * 160 / 3) * f32(3 / 160)
    normal = draw.normal(size=(3, count)).astype(f32)
    normal /= np.sqrt((normal**2).sum(axis=0))
    body = draw.integers(0, 40, count).astype(np.int32)
    blobs = Blobs(
        draw.uniform((-0.3, -0.3, 0), (0.3, 0.3, 0.2), (70, 3)).astype(f32),
        draw.uniform(0.005, 0.05, 70).astype(f32),
        np.arange(70, dtype=np.int32) // 2,
    )
    left = np.ones(count, f32)
    for centre, radius, owner in zip(blobs.centre, blobs.radius, blobs.body, strict=True):
        x, y, z = centre[:, None] - point
        near = (np.abs(x) < radius * 4) & (np.abs(y) < radius * 4) & (np.abs(z) < f32(0.16))
        square = np.maximum(x * x + y * y + z * z, radius * radius)
        cosine = (x * normal[0] + y * normal[1] + z * normal[2]) / np.sqrt(square)
        share = 1 - f32(0.85) * np.clip(cosine * (radius * radius) / square, 0, 1)
        left *= np.where(near & (body != owner), share, f32(1))
    assert 0.05 < (left < 1).mean() < 0.95
    np.testing.assert_array_equal(contact_darkening(blobs, point, normal, body), left)
    nothing = Blobs(blobs.centre[:0], blobs.radius[:0], blobs.body[:0])
    np.testing.assert_array_equal(contact_darkening(nothing, point, normal, body), 1)
