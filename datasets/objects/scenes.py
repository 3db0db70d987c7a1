"""What an image shows: objects, places, floor, lamp and camera. A pure function of (split, number).

train and val have the training pool's kinds in three quarters of the colours; test-seen has the
same on floors and under lamps that training never shows; test-novel has the other quarter (even
numbers) and the novel pool's kinds (odd numbers)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pixelpush.datasets.objects.names import (
    ALL_FLOORS,
    COLOURS,
    FLOORS,
    HELD_OUT_FLOORS,
    KINDS,
    MOST_OBJECTS,
    SEEN,
    held_out_pair,
)
from pixelpush.datasets.objects.things import Thing, make_thing, reach, turned
from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.arm import Arm, Camera, Light
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.materials import Material
from pixelpush.datasets.sim.objects import add_object
from pixelpush.datasets.sim.rotations import IDENTITY, X90, about, compose, matrix
from pixelpush.datasets.sim.scene import Scene, new_spec
from pixelpush.datasets.sim.stations import STATIONS

_FIELD_OF_VIEW = 27.0
_FLOOR = 2.0  # half side of the floor, metres: its end is never seen
_TRIES = 40  # places that are tried for an object before it is left out
_GAP = 0.004  # metres between the boxes round two objects

# By the order of names.ALL_FLOORS. Weak contrasts: a grain adds noise whose entropy is not known.
_FLOOR_LOOKS = (
    Material((0.53, 0.53, 0.53), (0.48, 0.48, 0.49), materials.FELT, 0.0),
    Material((0.36, 0.47, 0.38), (0.32, 0.43, 0.34), materials.FELT, 0.0),
    Material((0.38, 0.46, 0.58), (0.34, 0.42, 0.54), materials.FELT, 0.0),
    Material((0.72, 0.59, 0.43), (0.68, 0.55, 0.40), materials.FELT, 0.03),
    Material((0.58, 0.57, 0.55), (0.50, 0.49, 0.48), materials.SPECKLE, 0.05),
    Material((0.84, 0.84, 0.82), (0.80, 0.80, 0.78), materials.SPECKLE, 0.3),
    Material((0.62, 0.47, 0.32), (0.52, 0.38, 0.25), materials.PLANKS, 0.15),
    Material((0.42, 0.30, 0.22), (0.33, 0.23, 0.17), materials.PLANKS, 0.2),
    Material((0.58, 0.58, 0.57), (0.48, 0.48, 0.48), materials.PLANKS, 0.15),
    Material((0.47, 0.37, 0.28), (0.43, 0.33, 0.25), materials.FELT, 0.0),
)


@dataclass(frozen=True)
class Placed:
    """An object in its place. position: metres. rotation: a quaternion.

    >>> thing = make_thing(0, 0, Draw("example"))
    >>> placed = Placed(thing, np.array([0.0, 0.0, 1.0]), IDENTITY)
    >>> float(placed.points()["centre"][2] - thing.points["centre"][2])
    1.0
    """

    thing: Thing
    position: np.ndarray
    rotation: np.ndarray

    def points(self) -> dict[str, np.ndarray]:
        """The places of its parts in the world, float64 (3,) each, by name."""
        turn = matrix(self.rotation)
        return {
            name: turned(turn, point[None])[0] + self.position
            for name, point in self.thing.points.items()
        }


@dataclass(frozen=True)
class Layout:
    """What lies where, seen how. floor: a number in names.ALL_FLOORS.

    >>> layout = layout_of("test-seen", 0)
    >>> ALL_FLOORS[layout.floor] in HELD_OUT_FLOORS
    True
    """

    objects: tuple[Placed, ...]
    floor: int
    floor_turn: float
    light: Light
    camera: Camera


def layout_of(split: str, number: int) -> Layout:
    """The layout of an image.

    >>> len(layout_of("train", 0).objects) in (1, 2, 3, 4)
    True
    """
    draw = Draw("sim-objects", split, number)
    count = 1 + draw.integer(MOST_OBJECTS)
    camera = _camera(draw, count)
    unseen = split == "test-seen"
    floors = HELD_OUT_FLOORS if unseen else FLOORS
    floor = ALL_FLOORS.index(floors[draw.integer(len(floors))])
    turn = draw.uniform(-math.pi, math.pi)
    light = _light(draw, unseen)
    objects: list[Placed] = []
    boxes: list[np.ndarray] = []
    for _ in range(count):
        kind, colour = _kind_and_colour(split, number, draw)
        thing = make_thing(kind, colour, draw)
        placed, box = _put(thing, camera, boxes, draw)
        if placed is not None:
            objects.append(placed)
            boxes.append(box)
    return Layout(tuple(objects), floor, turn, light, camera)


def _kind_and_colour(split: str, number: int, draw: Draw) -> tuple[int, int]:
    if split == "test-novel" and number % 2:
        return len(SEEN) + draw.integer(len(KINDS) - len(SEEN)), draw.integer(len(COLOURS))
    kind = draw.integer(len(SEEN))
    wanted = split == "test-novel"
    colours = [c for c in range(len(COLOURS)) if held_out_pair(kind, c) == wanted]
    return kind, colours[draw.integer(len(colours))]


def _camera(draw: Draw, count: int) -> Camera:
    return Camera(
        azimuth=0.0,
        elevation=draw.uniform(0.72, 1.15),
        distance=0.36 + 0.06 * count + draw.uniform(0, 0.04),
        field_of_view=_FIELD_OF_VIEW,
        target=(draw.uniform(-0.01, 0.01), draw.uniform(-0.01, 0.01), 0.015),
        roll=draw.uniform(-0.04, 0.04),
    )


def _light(draw: Draw, unseen: bool) -> Light:
    """A lamp round the table; test-seen has lamps behind the scene, which training never has."""
    side = 1 if draw.uniform() < 0.5 else -1
    angle = side * (draw.uniform(2.3, math.pi) if unseen else draw.uniform(0.3, 2.3))
    away, height = draw.uniform(0.5, 1.0), draw.uniform(0.9, 1.4)
    warmth = draw.uniform(-0.03, 0.03)
    place = (away * math.cos(angle), away * math.sin(angle), height)
    colour = (1.0, 0.975, 0.94 - warmth)
    return Light(place, colour, draw.uniform(0.85, 1.1), draw.uniform(0.9, 1.15))


def _put(
    thing: Thing, camera: Camera, boxes: list[np.ndarray], draw: Draw
) -> tuple[Placed | None, np.ndarray]:
    """The object where it fits beside the others, and its box on the floor (2, 2); None, where
    there is no room."""
    tipped = X90 if thing.can_lie and draw.uniform() < 0.3 else IDENTITY
    rotation = compose(about((0, 0, 1), draw.uniform(-math.pi, math.pi)), tipped)
    low, high = reach(thing, rotation)
    half = camera.distance * math.tan(math.radians(_FIELD_OF_VIEW) / 2)
    across, along = 0.72 * half, 0.72 * half / math.sin(camera.elevation)
    for _ in range(_TRIES):
        x, y = draw.uniform(-along, along), draw.uniform(-across, across)
        box = np.array([[x + low[0], y + low[1]], [x + high[0], y + high[1]]])
        if not any(_overlap(box, other) for other in boxes):
            position = np.array([x, y, -low[2]])
            return Placed(thing, position, rotation), box
    return None, np.zeros((2, 2))


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[0] < other[1] + _GAP).all() and (other[0] < one[1] + _GAP).all())


def build_scene(layout: Layout) -> Scene:
    """The compiled scene of a layout: a floor and the objects, nothing that moves.

    >>> layout = layout_of("train", 0)
    >>> len(build_scene(layout).object_bodies) == len(layout.objects)
    True
    """
    spec = new_spec()
    looks: dict[str, Material] = {"floor": _FLOOR_LOOKS[layout.floor]}
    spec.worldbody.add_geom(
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[_FLOOR, _FLOOR, 0.01],
        pos=[0.013, 0.021, -0.01],
        quat=list(about((0, 0, 1), layout.floor_turn)),
    )
    for slot, placed in enumerate(layout.objects):
        body = spec.worldbody.add_body(
            name=f"object{slot}", pos=list(placed.position), quat=list(placed.rotation)
        )
        looks.update(add_object(body, list(placed.thing.parts), f"object{slot}"))
    model = spec.compile()
    bodies = tuple(int(model.body(f"object{slot}").id) for slot in range(len(layout.objects)))
    names = [model.geom(number).name for number in range(model.ngeom)]
    # The simulator's renderer takes lamp, floor and camera from a robot's station.
    station: Arm = replace(
        STATIONS[0], camera=layout.camera, light=layout.light, floor=looks["floor"]
    )
    return Scene(model, station, tuple(looks[name] for name in names), bodies, ())
