"""The things in the bin: compound primitives of a training pool and of a disjoint novel pool.

No *kind* of shape is in both pools. Object ``seen/7`` is the same thing in every episode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from mujoco import mjtGeom as Geom

from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.materials import Material, shade, thing_colour
from pixelpush.datasets.sim.rotations import IDENTITY, X90, Y90, about, compose

BOX = Geom.mjGEOM_BOX
CAN = Geom.mjGEOM_CYLINDER
BALL = Geom.mjGEOM_SPHERE
ELLIPSOID = Geom.mjGEOM_ELLIPSOID
CAPSULE = Geom.mjGEOM_CAPSULE
DENSITY = 300.0  # kg/m3: hollow plastic, wood


@dataclass(frozen=True)
class Part:
    """One primitive of an object: MuJoCo's type and half sizes in metres, in the object's frame.

    >>> Part(BOX, [0.02, 0.02, 0.01], Material((0.8, 0.2, 0.2))).position
    (0.0, 0.0, 0.0)
    """

    type: Geom
    size: Sequence[float]
    material: Material
    position: Sequence[float] = (0.0, 0.0, 0.0)
    rotation: np.ndarray | None = None  # the identity

    def scaled(self, factor: float) -> Part:
        """The part enlarged by a factor, about the object's origin.

        >>> Part(BALL, [0.5], Material((0.8, 0.2, 0.2)), (1.0, 0.0, 0.0)).scaled(2).position
        [2.0, 0.0, 0.0]
        """
        return replace(
            self, size=[s * factor for s in self.size], position=[p * factor for p in self.position]
        )


def _pair(draw: Draw, patterns: Sequence[int] = (materials.PLAIN,)) -> tuple[Material, Material]:
    """Two materials that go together; the first may carry one of ``patterns``."""
    first = thing_colour(draw)
    second = thing_colour(draw)
    gloss = draw.uniform(0.08, 0.5)
    pattern = patterns[draw.integer(len(patterns))]
    return Material(first, second, pattern, gloss), Material(second, gloss=gloss)


_SURFACES = (
    materials.PLAIN,
    materials.PLAIN,
    materials.BANDS,
    materials.CHECKER,
    materials.DOTS,
    materials.STRIPES,
    materials.LABEL,
)


def _wooden(draw: Draw) -> Material:
    tone = draw.uniform(0.85, 1.1)
    return Material(
        shade((0.80, 0.63, 0.42), tone), shade((0.55, 0.38, 0.22), tone), materials.WOOD, 0.1
    )


def _steel(draw: Draw) -> Material:
    return Material(shade((0.68, 0.69, 0.71), draw.uniform(0.85, 1.1)), gloss=0.9)


# --- the training pool
# -----------------------------------------------------------------------------------------


def _block(d: Draw) -> list[Part]:
    skin = _wooden(d) if d.uniform() < 0.3 else _pair(d, _SURFACES)[0]
    return [
        Part(BOX, [d.uniform(0.018, 0.036), d.uniform(0.016, 0.03), d.uniform(0.014, 0.028)], skin)
    ]


def _can(d: Draw) -> list[Part]:
    skin, _ = _pair(d, (materials.BANDS, materials.LABEL, materials.LABEL))
    radius = d.uniform(0.02, 0.028)
    half = d.uniform(0.022, 0.038)
    rim = [
        Part(CAN, [radius * 0.94, 0.002], _steel(d), (0, 0, s * (half + 0.001))) for s in (-1, 1)
    ]
    return [Part(CAN, [radius, half], skin), *rim]


def _ball(d: Draw) -> list[Part]:
    skin, _ = _pair(d, _SURFACES)
    radius = d.uniform(0.021, 0.03)
    return [
        Part(
            ELLIPSOID, [radius * d.uniform(0.8, 1.15), radius, radius * d.uniform(0.85, 1.0)], skin
        )
    ]


def _hammer(d: Draw) -> list[Part]:
    _, head = _pair(d)
    head = _steel(d) if d.uniform() < 0.6 else head
    return [
        Part(CAN, [0.0085, 0.048], _wooden(d), rotation=X90),
        Part(BOX, [0.028, 0.012, 0.013], head, (0, 0.05, 0)),
    ]


def _mug(d: Draw) -> list[Part]:
    skin, inner = _pair(d, (materials.PLAIN, materials.BANDS))
    radius = 0.025
    half = 0.027
    staves = 12
    parts = [Part(CAN, [radius - 0.001, 0.003], inner, (0, 0, -half + 0.003))]
    for k in range(staves):
        a = 2 * math.pi * k / staves
        place = (radius * math.cos(a), radius * math.sin(a), 0)
        parts.append(
            Part(BOX, [0.0075, 0.0028, half], skin, place, about((0, 0, 1), a + math.pi / 2))
        )
    for z in (-0.012, 0.012):
        parts.append(Part(CAPSULE, [0.0042, 0.006], skin, (radius + 0.009, 0, z), Y90))
    parts.append(Part(CAPSULE, [0.0042, 0.011], skin, (radius + 0.017, 0, 0)))
    return parts


def _bone(d: Draw) -> list[Part]:
    skin, _ = _pair(d)
    knobs = [
        Part(BALL, [0.0135], skin, (0.036 * sx, 0.012 * sy, 0)) for sx in (-1, 1) for sy in (-1, 1)
    ]
    return [Part(CAPSULE, [0.0105, 0.03], skin, rotation=Y90), *knobs]


def _stapler(d: Draw) -> list[Part]:
    top, base = _pair(d)
    return [
        Part(BOX, [0.045, 0.012, 0.006], base),
        Part(BOX, [0.042, 0.011, 0.0075], top, (0, 0, 0.019), about((0, 1, 0), -0.12)),
        Part(BOX, [0.006, 0.011, 0.012], top, (-0.038, 0, 0.008)),
    ]


def _brush(d: Draw) -> list[Part]:
    handle, bristles = _pair(d)
    return [
        Part(CAPSULE, [0.009, 0.036], handle, (-0.03, 0, 0), Y90),
        Part(BOX, [0.028, 0.017, 0.006], handle, (0.03, 0, 0)),
        Part(BOX, [0.026, 0.015, 0.012], bristles, (0.03, 0, -0.015)),
    ]


def _duck(d: Draw) -> list[Part]:
    skin, _ = _pair(d)
    beak = Material((0.93, 0.55, 0.14), gloss=0.3)
    return [
        Part(ELLIPSOID, [0.034, 0.023, 0.021], skin),
        Part(BALL, [0.0175], skin, (0.024, 0, 0.027)),
        Part(ELLIPSOID, [0.010, 0.008, 0.0045], beak, (0.044, 0, 0.025)),
        Part(ELLIPSOID, [0.012, 0.012, 0.006], skin, (-0.034, 0, 0.011), about((0, 1, 0), 0.6)),
    ]


def _banana(d: Draw) -> list[Part]:
    tone = d.uniform(0.9, 1.08)
    skin = Material(shade((0.92, 0.78, 0.25), tone), gloss=0.15)
    tip = Material((0.38, 0.30, 0.16), gloss=0.1)
    parts = []
    radius = 0.075
    for k in range(5):
        a = (k - 2) * 0.3
        place = (radius * math.sin(a), radius * (math.cos(a) - 1), 0)
        turn = compose(about((0, 0, 1), -a), Y90)
        parts.append(Part(CAPSULE, [0.0125 - 0.0012 * abs(k - 2), 0.011], skin, place, turn))
    parts.append(
        Part(CAN, [0.005, 0.006], tip, (0.066, -0.031, 0), compose(about((0, 0, 1), -0.8), Y90))
    )
    return parts


def _screwdriver(d: Draw) -> list[Part]:
    grip, collar = _pair(d, (materials.PLAIN, materials.BANDS))
    return [
        Part(CAN, [0.012, 0.027], grip, rotation=Y90),
        Part(CAN, [0.0135, 0.004], collar, (0.029, 0, 0), Y90),
        Part(CAN, [0.0045, 0.026], _steel(d), (0.057, 0, 0), Y90),
    ]


# Strokes of block letters on a grid of half units: centre x, centre y, half width, half height.
_LETTERS = {
    "L": ((-1, 0, 0.5, 2), (0.5, -1.5, 1, 0.5)),
    "T": ((0, 1.5, 1.5, 0.5), (0, -0.5, 0.5, 1.5)),
    "H": ((-1, 0, 0.5, 2), (1, 0, 0.5, 2), (0, 0, 0.5, 0.5)),
    "E": ((-1, 0, 0.5, 2), (0.5, 1.5, 1, 0.5), (0.3, 0, 0.8, 0.5), (0.5, -1.5, 1, 0.5)),
    "F": ((-1, 0, 0.5, 2), (0.5, 1.5, 1, 0.5), (0.3, 0.1, 0.8, 0.5)),
}


def _letter(d: Draw) -> list[Part]:
    skin, _ = _pair(d)
    name = sorted(_LETTERS)[d.integer(len(_LETTERS))]
    unit = 0.0185
    return [
        Part(BOX, [w * unit, h * unit, 0.011], skin, (x * unit, y * unit, 0))
        for x, y, w, h in _LETTERS[name]
    ]


SEEN_KINDS: dict[str, Callable[[Draw], list[Part]]] = {
    "block": _block,
    "can": _can,
    "ball": _ball,
    "hammer": _hammer,
    "mug": _mug,
    "bone": _bone,
    "stapler": _stapler,
    "brush": _brush,
    "duck": _duck,
    "banana": _banana,
    "screwdriver": _screwdriver,
    "letter": _letter,
}


# --- the novel pool
# --------------------------------------------------------------------------------------------


def _jack(d: Draw) -> list[Part]:
    skin, tips = _pair(d)
    parts = [Part(CAPSULE, [0.008, 0.027], skin, rotation=q) for q in (IDENTITY, X90, Y90)]
    for x, y, z in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
        parts.append(Part(BALL, [0.0115], tips, (0.031 * x, 0.031 * y, 0.031 * z)))
    return parts


def _ring(d: Draw) -> list[Part]:
    skin, other = _pair(d)
    parts = []
    for k in range(12):
        a = 2 * math.pi * k / 12
        place = (0.03 * math.cos(a), 0.03 * math.sin(a), 0)
        turn = compose(about((0, 0, 1), a), X90)
        parts.append(Part(CAPSULE, [0.0095, 0.008], skin if k % 4 else other, place, turn))
    return parts


def _bottle(d: Draw) -> list[Part]:
    skin, cap = _pair(d, (materials.LABEL, materials.BANDS))
    plain = replace(skin, pattern=materials.PLAIN)
    return [
        Part(CAN, [0.021, 0.03], skin),
        Part(ELLIPSOID, [0.021, 0.021, 0.015], plain, (0, 0, 0.03)),
        Part(CAN, [0.0085, 0.014], plain, (0, 0, 0.047)),
        Part(CAN, [0.0105, 0.006], cap, (0, 0, 0.062)),
    ]


def _car(d: Draw) -> list[Part]:
    body, cabin = _pair(d)
    tyre = Material((0.16, 0.16, 0.17), gloss=0.1)
    wheels = [
        Part(CAN, [0.0115, 0.005], tyre, (x, y, -0.008), X90)
        for x in (-0.025, 0.025)
        for y in (-0.021, 0.021)
    ]
    return [
        Part(BOX, [0.043, 0.02, 0.009], body),
        Part(BOX, [0.021, 0.017, 0.010], cabin, (-0.004, 0, 0.019)),
        *wheels,
    ]


def _stairs(d: Draw) -> list[Part]:
    skin = _wooden(d) if d.uniform() < 0.4 else _pair(d, (materials.PLAIN, materials.STRIPES))[0]
    return [
        Part(BOX, [0.013, 0.022, 0.01 * (k + 1)], skin, (0.026 * (k - 1), 0, 0.01 * (k + 1) - 0.02))
        for k in range(3)
    ]


def _arch(d: Draw) -> list[Part]:
    skin, top = _pair(d, (materials.PLAIN, materials.STRIPES))
    legs = [Part(BOX, [0.011, 0.017, 0.021], skin, (0.027 * s, 0, -0.01)) for s in (-1, 1)]
    return [Part(BOX, [0.04, 0.018, 0.01], top, (0, 0, 0.02)), *legs]


def _mushroom(d: Draw) -> list[Part]:
    stem, _ = _pair(d)
    cap, _ = _pair(d, (materials.DOTS,))
    return [
        Part(CAN, [0.012, 0.02], stem, (0, 0, -0.01)),
        Part(ELLIPSOID, [0.033, 0.033, 0.018], cap, (0, 0, 0.016)),
    ]


def _chair(d: Draw) -> list[Part]:
    seat, frame = _pair(d)
    legs = [
        Part(BOX, [0.0045, 0.0045, 0.018], frame, (x, y, -0.021))
        for x in (-0.021, 0.021)
        for y in (-0.021, 0.021)
    ]
    return [
        Part(BOX, [0.026, 0.026, 0.005], seat),
        Part(BOX, [0.005, 0.026, 0.026], seat, (-0.021, 0, 0.028)),
        *legs,
    ]


NOVEL_KINDS: dict[str, Callable[[Draw], list[Part]]] = {
    "jack": _jack,
    "ring": _ring,
    "bottle": _bottle,
    "car": _car,
    "stairs": _stairs,
    "arch": _arch,
    "mushroom": _mushroom,
    "chair": _chair,
}

POOL_SIZES = {"seen": 60, "novel": 32}


def object_kind(pool: str, index: int) -> str:
    """The name of the shape of object ``index`` of a pool ("seen" or "novel").

    >>> set(SEEN_KINDS) & {object_kind("novel", index) for index in range(100)}  # none is in both
    set()
    """
    kinds = list(SEEN_KINDS if pool == "seen" else NOVEL_KINDS)
    return kinds[index % len(kinds)]


def object_parts(pool: str, index: int) -> list[Part]:
    """The primitives of object ``index`` of a pool, to scale, always the same.

    >>> [part.size for part in object_parts("seen", 7)] == [
    ...     part.size for part in object_parts("seen", 7)
    ... ]
    True
    """
    draw = Draw("object", pool, index)
    kinds = SEEN_KINDS if pool == "seen" else NOVEL_KINDS
    scale = draw.uniform(0.98, 1.38)
    return [part.scaled(scale) for part in kinds[object_kind(pool, index)](draw)]


def add_object(body: mujoco.MjsBody, parts: list[Part], name: str) -> list[tuple[str, Material]]:
    """Give ``body`` the parts as colliding geoms; returns the material of each by geom name.

    >>> spec = mujoco.MjSpec()
    >>> ball = Part(BALL, [0.02], Material((0.8, 0.2, 0.2)))
    >>> made = add_object(spec.worldbody.add_body(), [ball, ball], "object0")
    >>> [name for name, _ in made], spec.compile().ngeom
    (['object0/0', 'object0/1'], 2)
    """
    made = []
    for number, part in enumerate(parts):
        geom = f"{name}/{number}"
        body.add_geom(
            name=geom,
            type=part.type,
            size=[*part.size, 0.0, 0.0][:3],
            pos=list(part.position),
            quat=list(IDENTITY if part.rotation is None else part.rotation),
            density=DENSITY,
            friction=[0.7, 0.01, 0.0005],
            condim=4,
            contype=1,
            conaffinity=3,
        )
        made.append((geom, part.material))
    return made
