"""The twelve kinds of objects of the training pool; lengths in metres, before scaling."""

from __future__ import annotations

import math
from collections.abc import Callable

from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.materials import Material, shade
from pixelpush.datasets.sim.primitives import (
    BALL,
    BOX,
    CAN,
    CAPSULE,
    ELLIPSOID,
    SURFACES,
    Part,
    pair,
    steel,
    wooden,
)
from pixelpush.datasets.sim.rotations import X90, Y90, about, compose


def _block(d: Draw) -> list[Part]:
    skin = wooden(d) if d.uniform() < 0.3 else pair(d, SURFACES)[0]
    return [
        Part(BOX, [d.uniform(0.018, 0.036), d.uniform(0.016, 0.03), d.uniform(0.014, 0.028)], skin)
    ]


def _can(d: Draw) -> list[Part]:
    skin, _ = pair(d, (materials.BANDS, materials.LABEL, materials.LABEL))
    radius = d.uniform(0.02, 0.028)
    half = d.uniform(0.022, 0.038)
    rim = [Part(CAN, [radius * 0.94, 0.002], steel(d), (0, 0, s * (half + 0.001))) for s in (-1, 1)]
    return [Part(CAN, [radius, half], skin), *rim]


def _ball(d: Draw) -> list[Part]:
    skin, _ = pair(d, SURFACES)
    radius = d.uniform(0.021, 0.03)
    return [
        Part(
            ELLIPSOID, [radius * d.uniform(0.8, 1.15), radius, radius * d.uniform(0.85, 1.0)], skin
        )
    ]


def _hammer(d: Draw) -> list[Part]:
    _, head = pair(d)
    head = steel(d) if d.uniform() < 0.6 else head
    return [
        Part(CAN, [0.0085, 0.048], wooden(d), rotation=X90),
        Part(BOX, [0.028, 0.012, 0.013], head, (0, 0.05, 0)),
    ]


def _mug(d: Draw) -> list[Part]:
    skin, inner = pair(d, (materials.PLAIN, materials.BANDS))
    radius = 0.025
    half = 0.027
    # MuJoCo has no hollow primitive: a wall of flat staves stands round the bottom.
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
    skin, _ = pair(d)
    knobs = [
        Part(BALL, [0.0135], skin, (0.036 * sx, 0.012 * sy, 0)) for sx in (-1, 1) for sy in (-1, 1)
    ]
    return [Part(CAPSULE, [0.0105, 0.03], skin, rotation=Y90), *knobs]


def _stapler(d: Draw) -> list[Part]:
    top, base = pair(d)
    return [
        Part(BOX, [0.045, 0.012, 0.006], base),
        Part(BOX, [0.042, 0.011, 0.0075], top, (0, 0, 0.019), about((0, 1, 0), -0.12)),
        Part(BOX, [0.006, 0.011, 0.012], top, (-0.038, 0, 0.008)),
    ]


def _brush(d: Draw) -> list[Part]:
    handle, bristles = pair(d)
    return [
        Part(CAPSULE, [0.009, 0.036], handle, (-0.03, 0, 0), Y90),
        Part(BOX, [0.028, 0.017, 0.006], handle, (0.03, 0, 0)),
        Part(BOX, [0.026, 0.015, 0.012], bristles, (0.03, 0, -0.015)),
    ]


def _duck(d: Draw) -> list[Part]:
    skin, _ = pair(d)
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
    # Five capsules on an arc, 0.3 radians apart, thinner towards the ends.
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
    grip, collar = pair(d, (materials.PLAIN, materials.BANDS))
    return [
        Part(CAN, [0.012, 0.027], grip, rotation=Y90),
        Part(CAN, [0.0135, 0.004], collar, (0.029, 0, 0), Y90),
        Part(CAN, [0.0045, 0.026], steel(d), (0.057, 0, 0), Y90),
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
    skin, _ = pair(d)
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
