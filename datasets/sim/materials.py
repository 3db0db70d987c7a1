"""Colours and materials: what a geom looks like, apart from its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelpush.datasets.sim.draw import Draw

Colour = tuple[float, float, float]

# Patterns that textures.py computes at the hit point.
PLAIN, BANDS, CHECKER, DOTS, WOOD, FELT, STRIPES, LABEL, SPECKLE, PLANKS = range(10)


@dataclass(frozen=True)
class Material:
    """What a surface looks like: display-referred (sRGB-like) colours in 0..1, pattern and gloss.

    The pattern mixes ``colour`` towards ``second``. gloss: strength of the highlight, 0 (felt) to 1
    (metal).

    >>> Material((0.8, 0.2, 0.2), (1.0, 1.0, 1.0), STRIPES).gloss
    0.25
    """

    colour: Colour
    second: Colour = (0.0, 0.0, 0.0)
    pattern: int = PLAIN
    gloss: float = 0.25


def linear(colour: Colour) -> Colour:
    """A display-referred colour in linear light, by the power 2.2.

    >>> linear((0.0, 0.5, 1.0))
    (0.0, 0.217..., 1.0)
    """
    r, g, b = (math.pow(min(max(c, 0.0), 1.0), 2.2) for c in colour)
    return r, g, b


# Colours of things one finds in a drawer: dyed plastics, rubber, wood, card, enamel, metal. None is
# nearly black.
_THINGS: tuple[Colour, ...] = (
    (0.78, 0.16, 0.13),
    (0.86, 0.36, 0.15),
    (0.93, 0.72, 0.18),
    (0.95, 0.86, 0.42),
    (0.24, 0.55, 0.26),
    (0.52, 0.70, 0.27),
    (0.14, 0.52, 0.50),
    (0.16, 0.38, 0.68),
    (0.38, 0.62, 0.83),
    (0.42, 0.30, 0.60),
    (0.83, 0.45, 0.58),
    (0.90, 0.89, 0.85),
    (0.87, 0.82, 0.70),
    (0.66, 0.48, 0.30),
    (0.76, 0.62, 0.43),
    (0.60, 0.62, 0.64),
    (0.38, 0.40, 0.43),
    (0.55, 0.20, 0.22),
)


def thing_colour(draw: Draw) -> Colour:
    """A colour for an object: one of a drawer's, a little lighter or darker, a little off.

    >>> all(0.12 <= part <= 0.97 for part in thing_colour(Draw("example")))
    True
    """
    base = _THINGS[draw.integer(len(_THINGS))]
    shade = draw.uniform(0.9, 1.08)
    r, g, b = (min(0.97, max(0.12, c * shade + draw.uniform(-0.035, 0.035))) for c in base)
    return r, g, b


def shade(colour: Colour, factor: float) -> Colour:
    """A lighter or darker version of a colour.

    >>> shade((0.2, 0.4, 0.8), 2.0)
    (0.4, 0.8, 0.98)
    """
    r, g, b = (min(0.98, c * factor) for c in colour)
    return r, g, b
