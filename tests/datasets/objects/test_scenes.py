"""What lies where: pure functions of (split, number), and what each split may show."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.datasets.objects.names import (
    COLOURS,
    FLOORS,
    KINDS,
    PARTS,
    SEEN,
    SPLITS,
    held_out_pair,
)
from pixelpush.datasets.objects.scenes import build_scene, layout_of
from pixelpush.datasets.objects.things import make_thing, reach
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.rotations import IDENTITY, about

MANY = 300


def shown(split: str) -> list[tuple[int, int]]:
    return [
        (placed.thing.kind, placed.thing.colour)
        for number in range(MANY)
        for placed in layout_of(split, number).objects
    ]


def test_splits_show_what_they_may():
    for split in ("train", "val", "test-seen"):
        pairs = set(shown(split))
        assert {kind for kind, _ in pairs} == set(range(len(SEEN)))
        assert not any(held_out_pair(*pair) for pair in pairs)
    combinations = set(shown("test-novel"))
    seen_kinds = {pair for pair in combinations if pair[0] < len(SEEN)}
    assert all(held_out_pair(*pair) for pair in seen_kinds)
    assert {kind for kind, _ in combinations} == set(range(len(KINDS)))
    floors = {split: {layout_of(split, n).floor for n in range(MANY)} for split in SPLITS}
    assert floors["train"] == floors["val"] == set(range(len(FLOORS)))
    assert not floors["test-seen"] & floors["train"]


def test_every_colour_is_seen_on_most_kinds():
    for colour in range(len(COLOURS)):
        kinds = [kind for kind in range(len(SEEN)) if not held_out_pair(kind, colour)]
        assert len(kinds) == 9


def test_layouts_are_repeatable_and_have_one_to_four_objects():
    counts = np.bincount([len(layout_of("train", n).objects) for n in range(MANY)], minlength=5)
    assert counts[0] == 0
    assert (counts[1:] > 20).all()
    one, again = layout_of("val", 7), layout_of("val", 7)
    assert one.camera == again.camera
    assert [p.position.tolist() for p in one.objects] == [
        p.position.tolist() for p in again.objects
    ]


def test_objects_stand_on_the_floor_and_beside_each_other():
    for number in range(40):
        boxes = []
        for placed in layout_of("train", number).objects:
            low, high = reach(placed.thing, placed.rotation) + placed.position
            assert low[2] == pytest.approx(0, abs=1e-9)
            boxes.append((low, high))
        for i, (low, high) in enumerate(boxes):
            for other_low, other_high in boxes[:i]:
                apart = (low[:2] > other_high[:2]) | (other_low[:2] > high[:2])
                assert apart.any()


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_every_kind_has_its_colour_and_its_parts(kind):
    for colour in range(len(COLOURS)):
        thing = make_thing(kind, colour, Draw("test", kind, colour))
        again = make_thing(kind, colour, Draw("test", kind, colour))
        assert thing.parts[0].size == again.parts[0].size
        assert 2 <= len(thing.points) <= 4
        assert set(thing.points) <= set(PARTS)
        low, high = reach(thing, IDENTITY)
        for point in thing.points.values():
            assert (point >= low - 1e-9).all()
            assert (point <= high + 1e-9).all()
    red = make_thing(kind, 0, Draw("test", kind, 0))
    blue = make_thing(kind, 4, Draw("test", kind, 0))
    looks = [{part.material.colour for part in thing.parts} for thing in (red, blue)]
    (dye,) = looks[0] - looks[1]
    assert dye[0] > 2 * dye[1]
    assert dye[0] > 2 * dye[2]


def test_reach_agrees_with_the_compiled_scene():
    """MuJoCo's own bounding spheres hold every primitive: no box is larger than they allow."""
    layout = layout_of("test-novel", 1)
    scene = build_scene(layout)
    for slot, placed in enumerate(layout.objects):
        body = scene.object_bodies[slot]
        geoms = np.flatnonzero(scene.model.geom_bodyid == body)
        assert len(geoms) == len(placed.thing.parts)
        radius = scene.model.geom_rbound[geoms]
        centres = scene.model.geom_pos[geoms]
        low, high = reach(placed.thing, about((0, 0, 1), 0.0))
        assert (low >= (centres - radius[:, None]).min(0) - 1e-9).all()
        assert (high <= (centres + radius[:, None]).max(0) + 1e-9).all()
