"""An object of a kind and a colour: the simulator's primitives, dyed, and the places of its parts.

The shapes are those of the simulated bin's two pools; here every kind comes in every colour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pixelpush.datasets.objects.names import KINDS
from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.materials import Colour, Material
from pixelpush.datasets.sim.novel_kinds import NOVEL_KINDS
from pixelpush.datasets.sim.primitives import BALL, BOX, CAN, CAPSULE, Part
from pixelpush.datasets.sim.rotations import IDENTITY, compose, matrix
from pixelpush.datasets.sim.seen_kinds import SEEN_KINDS

# By the order of names.COLOURS.
_DYES: tuple[Colour, ...] = (
    (0.78, 0.13, 0.12),
    (0.94, 0.47, 0.09),
    (0.95, 0.83, 0.22),
    (0.18, 0.56, 0.22),
    (0.14, 0.34, 0.74),
    (0.46, 0.24, 0.62),
    (0.90, 0.90, 0.88),
    (0.13, 0.13, 0.14),
)
# Which part of a kind names its colour, where it is not the first one.
_MAIN = {"stapler": 1, "mushroom": 1, "mug": 1}
# Kinds whose other parts keep colours of their own; elsewhere they are bleached to near grey, so
# that one colour names an object.
_OWN_COLOURS = ("duck", "banana")
# Kinds that also lie on their side.
_TIPPED = ("can", "mug", "bottle", "block")

Point = tuple[int, tuple[float, float, float]]
# Part names of a kind: a primitive's number, and a place in it in units of its half sizes.
_POINTS: Mapping[str, Mapping[str, Point]] = {
    "block": {"centre": (0, (0, 0, 0)), "top": (0, (0, 0, 1)), "front": (0, (1, 0, 0))},
    "can": {"centre": (0, (0, 0, 0)), "rim": (0, (0, 0, 1)), "base": (0, (0, 0, -1))},
    "ball": {"centre": (0, (0, 0, 0)), "top": (0, (0, 0, 1))},
    "hammer": {"handle": (0, (0, 0, 1)), "head": (1, (0, 0, 0))},
    "mug": {"base": (0, (0, 0, 0)), "rim": (1, (0, 0, 1)), "handle": (-1, (0, 0, 0))},
    "bone": {"centre": (0, (0, 0, 0)), "front": (0, (0, 0, 1)), "back": (0, (0, 0, -1))},
    "stapler": {"head": (1, (1, 0, 0)), "tail": (1, (-1, 0, 0)), "base": (0, (0.5, 0, 0))},
    "brush": {"handle": (0, (0, 0, -1)), "head": (1, (0, 0, 0)), "bristles": (2, (1, 0, 0))},
    "duck": {
        "centre": (0, (0, 0, 0)),
        "head": (1, (0, 0, 0)),
        "beak": (2, (0, 0, 0)),
        "tail": (3, (-0.5, 0, 0)),
    },
    "banana": {"centre": (2, (0, 0, 0)), "tip": (5, (0, 0, 0)), "tail": (0, (0, 0, -1))},
    "screwdriver": {"handle": (0, (0, 0, -0.5)), "head": (1, (0, 0, 0)), "tip": (2, (0, 0, 1))},
    "letter": {"centre": (0, (0, 0, 0)), "top": (0, (0, 1, 0)), "base": (0, (0, -1, 0))},
    "jack": {"centre": (0, (0, 0, 0)), "tip": (3, (0, 0, 0)), "tail": (4, (0, 0, 0))},
    "ring": {"front": (0, (0, 0, 0)), "back": (6, (0, 0, 0))},
    "bottle": {"centre": (0, (0, 0, 0)), "cap": (3, (0, 0, 0)), "base": (0, (0, 0, -1))},
    "car": {
        "top": (1, (0, 0, 1)),
        "front": (0, (1, 0, 0)),
        "back": (0, (-1, 0, 0)),
        "wheel": (2, (0, 0, 0)),
    },
    "stairs": {"top": (2, (0, 0, 1)), "base": (0, (0, 0, 1)), "back": (2, (1, 0, 0))},
    "arch": {"top": (0, (0, 0, 1)), "leg": (1, (0, 0, 0))},
    "mushroom": {"cap": (1, (0, 0, 0.5)), "base": (0, (0, 0, -0.5))},
    "chair": {"centre": (0, (0, 0, 0)), "back": (1, (0, 0, 0.7)), "leg": (2, (0, 0, -0.5))},
}


@dataclass(frozen=True)
class Thing:
    """An object: its primitives to scale in its own frame, and where its parts are.

    kind, colour: numbers in names.KINDS and names.COLOURS. points: metres, by the part's name.

    >>> make_thing(KINDS.index("mug"), 0, Draw("example")).can_lie
    True
    """

    kind: int
    colour: int
    parts: tuple[Part, ...]
    points: Mapping[str, np.ndarray]

    @property
    def can_lie(self) -> bool:
        """Whether it is also shown on its side."""
        return KINDS[self.kind] in _TIPPED


def make_thing(kind: int, colour: int, draw: Draw) -> Thing:
    """An object of a kind in a colour; its sizes, pattern and shade are drawn.

    >>> sorted(make_thing(4, 0, Draw("example", 1)).points)
    ['base', 'handle', 'rim']
    """
    name = KINDS[kind]
    scale = draw.uniform(0.98, 1.38)
    build = {**SEEN_KINDS, **NOVEL_KINDS}[name]
    parts = [part.scaled(scale) for part in build(draw)]
    dyed = _dyed(parts, name, _dye(colour, draw))
    points = {part: _place(dyed[number], at) for part, (number, at) in _POINTS[name].items()}
    return Thing(kind, colour, tuple(dyed), points)


def _dye(colour: int, draw: Draw) -> Colour:
    """A colour of that name: a little lighter or darker, a little off."""
    shade = draw.uniform(0.92, 1.06)
    red, green, blue = (
        min(0.97, max(0.1, value * shade + draw.uniform(-0.02, 0.02))) for value in _DYES[colour]
    )
    return red, green, blue


def _dyed(parts: list[Part], name: str, dye: Colour) -> list[Part]:
    main = parts[_MAIN.get(name, 0)].material.colour
    pale = materials.shade(dye, 0.66)

    def look(material: Material) -> Material:
        if material.colour == main:
            return replace(material, colour=dye, second=pale)
        return material if name in _OWN_COLOURS else _bleached(material)

    return [replace(part, material=look(part.material)) for part in parts]


def _bleached(material: Material) -> Material:
    def grey(colour: Colour) -> Colour:
        mean = sum(colour) / 3
        red, green, blue = (mean + 0.15 * (value - mean) for value in colour)
        return red, green, blue

    return replace(material, colour=grey(material.colour), second=grey(material.second))


def half_sizes(part: Part) -> tuple[float, float, float]:
    """Half sizes in metres of a primitive's own box.

    >>> half_sizes(Part(CAPSULE, [0.01, 0.03], Material((0, 0, 0))))
    (0.01, 0.01, 0.04)
    """
    size = list(part.size)
    if part.type == BALL:
        return size[0], size[0], size[0]
    if part.type == CAN:
        return size[0], size[0], size[1]
    if part.type == CAPSULE:
        return size[0], size[0], size[0] + size[1]
    return size[0], size[1], size[2]


def _place(part: Part, at: tuple[float, float, float]) -> np.ndarray:
    """float64 (3,): a place of a primitive, given in units of its half sizes, in metres."""
    local = [share * half for share, half in zip(at, half_sizes(part), strict=True)]
    turn = matrix(IDENTITY if part.rotation is None else part.rotation)
    return turned(turn, np.array([local]))[0] + np.array(part.position)


def turned(rotation: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) points after a rotation (3, 3), summed in a fixed order.

    >>> quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> turned(quarter, np.array([[1.0, 0.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0]]
    """
    return np.stack([sum(rotation[r, c] * points[:, c] for c in range(3)) for r in range(3)], 1)


def reach(thing: Thing, rotation: np.ndarray) -> np.ndarray:
    """float64 (2, 3): lowest and highest x, y, z of an object that is turned by a quaternion.

    >>> ball = Part(BALL, [0.02], Material((0.8, 0.2, 0.2)))
    >>> reach(Thing(2, 0, (ball,), {}), IDENTITY).tolist()
    [[-0.02, -0.02, -0.02], [0.02, 0.02, 0.02]]
    """
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    whole = matrix(rotation)
    for part in thing.parts:
        own = IDENTITY if part.rotation is None else part.rotation
        centre = turned(whole, np.array([part.position], dtype=np.float64))[0]
        extent = _extent(part, matrix(compose(rotation, own)))
        low, high = np.minimum(low, centre - extent), np.maximum(high, centre + extent)
    return np.stack([low, high])


def _extent(part: Part, turn: np.ndarray) -> np.ndarray:
    """float64 (3,): half sizes of the upright box round a turned primitive."""
    x, y, z = half_sizes(part)
    axes = np.abs(turn)
    if part.type == BOX:
        return axes[:, 0] * x + axes[:, 1] * y + axes[:, 2] * z
    if part.type == CAN:
        # A disc of radius x reaches x sqrt(1 - c^2) along an axis at cosine c to its own.
        return axes[:, 2] * z + x * np.sqrt(np.maximum(0, 1 - axes[:, 2] ** 2))
    if part.type == CAPSULE:
        return axes[:, 2] * (z - x) + x
    return np.array([math.sqrt((r[0] * x) ** 2 + (r[1] * y) ** 2 + (r[2] * z) ** 2) for r in axes])
