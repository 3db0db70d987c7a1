"""Eleven arms: ten for training and one held out, each with its own links, finger, camera, light,
bin and table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.datasets.sim import materials
from pixelpush.datasets.sim.materials import Colour, Material

JOINTS = 7
# The null-space posture in radians: elbow up and behind the bin, so that the forearm hides little
# of it.
HOME = (0.0, 0.25, 0.0, -1.6, 0.0, 1.29, 0.0)

Finger = Literal["two", "rod", "paddle"]


@dataclass(frozen=True)
class Camera:
    """Where a camera looks from.

    Angles are in radians (azimuth 0 faces the arm), lengths in metres, the vertical field of view
    in degrees.

    >>> Camera(azimuth=0.36, elevation=0.96, distance=1.36, field_of_view=28.5).target
    (0.0, 0.0, 0.03)
    """

    azimuth: float
    elevation: float
    distance: float
    field_of_view: float
    target: tuple[float, float, float] = (0.0, 0.0, 0.03)
    roll: float = 0.0


@dataclass(frozen=True)
class Light:
    """The key light: place in metres, colour, strength; and how bright the room's own light is.

    >>> Light(position=(0.55, -0.75, 1.25)).strength
    1.0
    """

    position: tuple[float, float, float]
    colour: Colour = (1.0, 0.97, 0.92)
    strength: float = 1.0
    room: float = 1.0


@dataclass(frozen=True)
class Arm:
    """One robot and its place of work.

    thickness, reach: they scale the links. Lengths are in metres.

    >>> len(TRAINING_ARMS), HELD_OUT_ARM in TRAINING_ARMS, ARMS[HELD_OUT].finger
    (10, False, 'two')
    """

    link: Material
    joint: Material
    thickness: float
    reach: float
    finger: Finger
    finger_length: float
    finger_spread: float
    base: tuple[float, float]
    camera: Camera
    light: Light
    floor: Material
    wall: Material
    table: Material
    boxy: bool = False


def _m(
    colour: Colour,
    second: Colour = (0.0, 0.0, 0.0),
    pattern: int = materials.PLAIN,
    gloss: float = 0.25,
) -> Material:
    return Material(colour, second, pattern, gloss)


_WHITE = _m((0.82, 0.82, 0.80), gloss=0.5)
_SILVER = _m((0.66, 0.67, 0.69), gloss=0.9)
_GRAPHITE = _m((0.27, 0.28, 0.30), gloss=0.4)
_PINE = _m((0.80, 0.67, 0.49), (0.66, 0.50, 0.33), materials.WOOD, 0.12)
_OAK = _m((0.62, 0.47, 0.32), (0.44, 0.31, 0.20), materials.PLANKS, 0.15)
_WALNUT = _m((0.42, 0.30, 0.22), (0.27, 0.18, 0.13), materials.PLANKS, 0.2)
_GREY_FELT = _m((0.54, 0.54, 0.54), (0.42, 0.42, 0.43), materials.FELT, 0.0)
_GREEN_FELT = _m((0.36, 0.47, 0.39), (0.26, 0.37, 0.30), materials.FELT, 0.0)
_BLUE_FELT = _m((0.38, 0.45, 0.56), (0.28, 0.35, 0.46), materials.FELT, 0.0)
_CARD = _m((0.74, 0.61, 0.45), (0.64, 0.51, 0.36), materials.FELT, 0.03)
_GREY_PLASTIC = _m((0.66, 0.67, 0.68), (0.60, 0.61, 0.62), materials.SPECKLE, 0.25)
_WHITE_PLASTIC = _m((0.84, 0.84, 0.82), (0.78, 0.78, 0.76), materials.SPECKLE, 0.3)
_CONCRETE = _m((0.56, 0.55, 0.53), (0.42, 0.41, 0.40), materials.SPECKLE, 0.05)
_DARK_BENCH = _m((0.30, 0.31, 0.33), (0.24, 0.25, 0.27), materials.SPECKLE, 0.2)
_LAMINATE = _m((0.76, 0.75, 0.71), (0.70, 0.69, 0.66), materials.SPECKLE, 0.3)
_STEEL_BENCH = _m((0.50, 0.52, 0.54), (0.44, 0.46, 0.48), materials.WOOD, 0.5)


def _training(
    link: Material,
    joint: Material,
    shape: tuple[float, float, Finger, float, float, bool],
    base: tuple[float, float],
    camera: Camera,
    light: Light,
    place: tuple[Material, Material, Material],
) -> Arm:
    thickness, reach, finger, length, spread, boxy = shape
    return Arm(
        link,
        joint,
        thickness,
        reach,
        finger,
        length,
        spread,
        base,
        camera,
        light,
        *place,
        boxy=boxy,
    )


TRAINING_ARMS: tuple[Arm, ...] = (
    _training(
        _WHITE, _m((0.24, 0.44, 0.66)), (1.00, 1.00, "two", 0.052, 0.020, False), (-0.50, 0.00),
        Camera(0.36, 0.96, 1.36, 28.5, (-0.015, 0.0, 0.03), 0.02),
        Light((0.55, -0.75, 1.25)), (_PINE, _GREY_PLASTIC, _DARK_BENCH),
    ),
    _training(
        _SILVER, _GRAPHITE, (0.94, 1.02, "two", 0.056, 0.026, False), (-0.51, 0.03),
        Camera(-0.55, 1.00, 1.42, 27.5, (-0.01, 0.01, 0.03), -0.03),
        Light((0.20, 0.90, 1.20), (1.0, 0.98, 0.96), 1.05), (_GREY_FELT, _WHITE_PLASTIC, _OAK),
    ),
    _training(
        _m((0.80, 0.22, 0.17), gloss=0.5), _WHITE, (1.06, 0.98, "two", 0.048, 0.018, True),
        (-0.49, -0.03),
        Camera(0.62, 0.92, 1.30, 29.5, (-0.02, -0.01, 0.03), 0.0),
        Light((0.80, 0.35, 1.15), (1.0, 0.94, 0.86), 1.0),
        (_WHITE_PLASTIC, _m((0.30, 0.42, 0.58)), _CONCRETE),
    ),
    _training(
        _WHITE, _m((0.32, 0.58, 0.34)), (1.08, 1.00, "rod", 0.056, 0.0, False), (-0.50, 0.02),
        Camera(-0.32, 0.88, 1.34, 28.5, (-0.02, 0.0, 0.03), 0.03),
        Light((0.35, -0.95, 1.10), (0.96, 0.98, 1.0), 1.0), (_CARD, _CARD, _LAMINATE),
    ),
    _training(
        _m((0.30, 0.40, 0.52), gloss=0.5), _SILVER, (0.96, 1.03, "two", 0.060, 0.030, True),
        (-0.51, -0.02),
        Camera(0.48, 1.02, 1.46, 27.0, (-0.01, 0.0, 0.03), -0.02),
        Light((0.70, -0.30, 1.30), (1.0, 0.96, 0.90), 1.05, 1.05), (_PINE, _WHITE_PLASTIC, _WALNUT),
    ),
    _training(
        _GRAPHITE, _m((0.80, 0.80, 0.79)), (0.98, 0.99, "paddle", 0.050, 0.022, False),
        (-0.50, 0.00),
        Camera(-0.70, 0.94, 1.33, 29.0, (-0.015, 0.01, 0.03), 0.01),
        Light((0.50, 0.85, 1.25), (1.0, 0.95, 0.88), 1.1, 1.05), (_GREEN_FELT, _OAK, _STEEL_BENCH),
    ),
    _training(
        _m((0.80, 0.76, 0.66), gloss=0.3), _m((0.48, 0.32, 0.24)),
        (1.04, 1.01, "two", 0.054, 0.022, False), (-0.49, 0.04),
        Camera(0.22, 1.02, 1.44, 27.0, (-0.005, 0.0, 0.03), -0.01),
        Light((0.90, 0.10, 1.20), (1.0, 0.92, 0.82), 1.05), (_OAK, _PINE, _GREY_FELT),
    ),
    _training(
        _m((0.20, 0.52, 0.52), gloss=0.45), _WHITE, (0.92, 1.02, "rod", 0.050, 0.0, True),
        (-0.51, -0.04),
        Camera(-0.45, 0.92, 1.36, 28.5, (-0.02, 0.0, 0.03), -0.03),
        Light((0.60, -0.60, 1.35), (0.95, 0.97, 1.0), 1.1, 1.1),
        (_GREY_PLASTIC, _m((0.72, 0.30, 0.22)), _LAMINATE),
    ),
    _training(
        _SILVER, _m((0.76, 0.66, 0.24)), (1.02, 0.98, "two", 0.046, 0.028, True), (-0.49, 0.01),
        Camera(0.74, 0.98, 1.38, 28.0, (-0.015, -0.01, 0.03), 0.02),
        Light((0.30, 0.95, 1.15), (1.0, 0.97, 0.93), 1.05), (_BLUE_FELT, _GREY_PLASTIC, _PINE),
    ),
    _training(
        _m((0.76, 0.78, 0.82), gloss=0.5), _m((0.46, 0.34, 0.56)),
        (0.97, 1.01, "paddle", 0.058, 0.020, False), (-0.50, -0.01),
        Camera(-0.60, 0.90, 1.31, 29.0, (-0.02, 0.0, 0.03), 0.0),
        Light((0.75, -0.55, 1.20), (1.0, 0.95, 0.89), 1.0),
        (_WHITE_PLASTIC, _m((0.45, 0.47, 0.50)), _WALNUT),
    ),
)  # fmt: skip

HELD_OUT_ARM = Arm(
    link=_m((0.92, 0.52, 0.12), gloss=0.45),
    joint=_m((0.17, 0.17, 0.18), gloss=0.3),
    thickness=0.86,
    reach=1.05,
    finger="two",
    finger_length=0.064,
    finger_spread=0.036,
    base=(-0.53, 0.06),
    camera=Camera(1.02, 0.80, 1.40, 29.5, (-0.01, -0.01, 0.03), 0.03),
    light=Light((0.15, -0.90, 1.25), (1.0, 0.96, 0.91), 1.25, 1.15),
    floor=_m((0.70, 0.66, 0.58), (0.60, 0.56, 0.49), materials.SPECKLE, 0.15),
    wall=_m((0.52, 0.56, 0.58), gloss=0.25),
    table=_m((0.47, 0.42, 0.40), (0.38, 0.34, 0.32), materials.SPECKLE, 0.15),
)

ARMS: tuple[Arm, ...] = (*TRAINING_ARMS, HELD_OUT_ARM)
HELD_OUT = len(TRAINING_ARMS)
