"""What things in the bin are made of: MuJoCo's primitives and materials drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.engine import Geom
from pixelpush.datasets.sim.materials import Material, shade, thing_colour

BOX = Geom.mjGEOM_BOX
CAN = Geom.mjGEOM_CYLINDER
BALL = Geom.mjGEOM_SPHERE
ELLIPSOID = Geom.mjGEOM_ELLIPSOID
CAPSULE = Geom.mjGEOM_CAPSULE


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


def pair(draw: Draw, patterns: Sequence[int] = (materials.PLAIN,)) -> tuple[Material, Material]:
    """Two materials that go together; the first may carry one of ``patterns``.

    >>> first, second = pair(Draw("example"), SURFACES)
    >>> first.second == second.colour
    True
    """
    first = thing_colour(draw)
    second = thing_colour(draw)
    gloss = draw.uniform(0.08, 0.5)
    pattern = patterns[draw.integer(len(patterns))]
    return Material(first, second, pattern, gloss), Material(second, gloss=gloss)


# What a large flat or round face may carry; plain stands twice, so that it is drawn twice as often.
SURFACES = (
    materials.PLAIN,
    materials.PLAIN,
    materials.BANDS,
    materials.CHECKER,
    materials.DOTS,
    materials.STRIPES,
    materials.LABEL,
)


def wooden(draw: Draw) -> Material:
    """Wood of a tone of its own.

    >>> wooden(Draw("example")).pattern == materials.WOOD
    True
    """
    tone = draw.uniform(0.85, 1.1)
    return Material(
        shade((0.80, 0.63, 0.42), tone), shade((0.55, 0.38, 0.22), tone), materials.WOOD, 0.1
    )


def steel(draw: Draw) -> Material:
    """Bare steel, darker or brighter.

    >>> steel(Draw("example")).gloss
    0.9
    """
    return Material(shade((0.68, 0.69, 0.71), draw.uniform(0.85, 1.1)), gloss=0.9)
