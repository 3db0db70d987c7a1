"""The eight kinds of objects of the novel pool; lengths in metres, before scaling."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.materials import Material
from pixelpush.datasets.sim.primitives import BALL, BOX, CAN, CAPSULE, ELLIPSOID, Part, pair, wooden
from pixelpush.datasets.sim.rotations import IDENTITY, X90, Y90, about, compose


def _jack(d: Draw) -> list[Part]:
    skin, tips = pair(d)
    parts = [Part(CAPSULE, [0.008, 0.027], skin, rotation=q) for q in (IDENTITY, X90, Y90)]
    for x, y, z in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
        parts.append(Part(BALL, [0.0115], tips, (0.031 * x, 0.031 * y, 0.031 * z)))
    return parts


def _ring(d: Draw) -> list[Part]:
    skin, other = pair(d)
    parts = []
    # Twelve capsules end to end: MuJoCo has no torus.
    for k in range(12):
        a = 2 * math.pi * k / 12
        place = (0.03 * math.cos(a), 0.03 * math.sin(a), 0)
        turn = compose(about((0, 0, 1), a), X90)
        parts.append(Part(CAPSULE, [0.0095, 0.008], skin if k % 4 else other, place, turn))
    return parts


def _bottle(d: Draw) -> list[Part]:
    skin, cap = pair(d, (materials.LABEL, materials.BANDS))
    plain = replace(skin, pattern=materials.PLAIN)
    return [
        Part(CAN, [0.021, 0.03], skin),
        Part(ELLIPSOID, [0.021, 0.021, 0.015], plain, (0, 0, 0.03)),
        Part(CAN, [0.0085, 0.014], plain, (0, 0, 0.047)),
        Part(CAN, [0.0105, 0.006], cap, (0, 0, 0.062)),
    ]


def _car(d: Draw) -> list[Part]:
    body, cabin = pair(d)
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
    skin = wooden(d) if d.uniform() < 0.4 else pair(d, (materials.PLAIN, materials.STRIPES))[0]
    return [
        Part(BOX, [0.013, 0.022, 0.01 * (k + 1)], skin, (0.026 * (k - 1), 0, 0.01 * (k + 1) - 0.02))
        for k in range(3)
    ]


def _arch(d: Draw) -> list[Part]:
    skin, top = pair(d, (materials.PLAIN, materials.STRIPES))
    legs = [Part(BOX, [0.011, 0.017, 0.021], skin, (0.027 * s, 0, -0.01)) for s in (-1, 1)]
    return [Part(BOX, [0.04, 0.018, 0.01], top, (0, 0, 0.02)), *legs]


def _mushroom(d: Draw) -> list[Part]:
    stem, _ = pair(d)
    cap, _ = pair(d, (materials.DOTS,))
    return [
        Part(CAN, [0.012, 0.02], stem, (0, 0, -0.01)),
        Part(ELLIPSOID, [0.033, 0.033, 0.018], cap, (0, 0, 0.016)),
    ]


def _chair(d: Draw) -> list[Part]:
    seat, frame = pair(d)
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
