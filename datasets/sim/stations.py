"""The three laboratories: which robot and which station every episode has.

- ``sim``: robots of one make at ten like stations. They differ as stations of one room do: camera
  by degrees and centimetres, lamp, shade of bin and table, base by a centimetre. The held-out
  station has a robot of the same make that training never saw, a camera outside the range of the
  ten, and a lamp, base and bin of its own.
- ``sim-cameras``: the same, but every training episode has a camera of its own, from a range that
  contains the held-out one's.
- ``sim-diverse``: ten different robots and a held-out one that resembles none of them.
"""

from __future__ import annotations

from dataclasses import replace

from pixelpush.datasets.sim.arm import ARMS, HELD_OUT, TRAINING_ARMS, Arm, Camera, Light
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.materials import FELT, SPECKLE, Colour, Material
from pixelpush.datasets.sim.names import LABORATORIES
from pixelpush.datasets.sim.splits import EPISODES_PER_FILLING

__all__ = ["LABORATORIES", "STATIONS", "arm_index", "arm_of"]

_CAMERA = Camera(0.36, 0.96, 1.38, 28.5, (-0.015, 0.0, 0.03), 0.0)
_LIGHT = Light((0.55, -0.75, 1.25), (1.0, 0.97, 0.93), 1.0)
_ROBOT = replace(
    TRAINING_ARMS[0],
    floor=Material((0.74, 0.64, 0.50), (0.69, 0.59, 0.45), FELT, 0.05),
    wall=Material((0.66, 0.67, 0.68), gloss=0.25),
    table=Material((0.34, 0.35, 0.37), (0.31, 0.32, 0.34), SPECKLE, 0.15),
)


def arm_index(laboratory: str, split: str, episode: int) -> int:
    """0 to 9 for the training stations (or robots), 10 for the held-out one.

    >>> [arm_index("sim", "train", episode) for episode in (0, 1, 2, 20)]
    [0, 0, 1, 0]
    >>> arm_index("sim", "test-seen", 0)
    10
    """
    if split not in ("train", "val"):
        return HELD_OUT
    return episode // EPISODES_PER_FILLING % HELD_OUT


def arm_of(laboratory: str, split: str, episode: int) -> Arm:
    """The robot and its station, equal for the episodes of a station.

    Only the camera of ``sim-cameras`` differs from one training episode to the next.

    >>> arm_of("sim", "train", 0) == arm_of("sim", "train", 1)
    True
    >>> arm_of("sim-cameras", "train", 0) == arm_of("sim-cameras", "train", 1)
    False
    """
    index = arm_index(laboratory, split, episode)
    if laboratory == "sim-diverse":
        return ARMS[index]
    station = STATIONS[index]
    if laboratory == "sim-cameras" and split == "train":
        return replace(station, camera=_camera(Draw("camera", split, episode), 3.2))
    return station


def _camera(draw: Draw, spread: float) -> Camera:
    """A camera within ``spread`` of the laboratory's: 1 is how far the stations' lie."""

    def near(value: float, reach: float) -> float:
        return value + spread * reach * draw.uniform(-1, 1)

    return replace(
        _CAMERA,
        azimuth=near(_CAMERA.azimuth, 0.10),
        elevation=near(_CAMERA.elevation, 0.04),
        distance=near(_CAMERA.distance, 0.03),
        target=tuple(near(place, 0.008) for place in _CAMERA.target),
        roll=near(0.0, 0.015),
    )


def _lamp(draw: Draw, spread: float) -> Light:
    x, y, z = (place + spread * 0.10 * draw.uniform(-1, 1) for place in _LIGHT.position)
    warmth = spread * 0.02 * draw.uniform(-1, 1)
    red, green, blue = _LIGHT.colour
    strength = _LIGHT.strength * (1 + spread * 0.08 * draw.uniform(-1, 1))
    room = _LIGHT.room * (1 + spread * 0.06 * draw.uniform(-1, 1))
    return Light((x, y, z), (red, green, blue - warmth), strength, room)


def _shaded(material: Material, draw: Draw, spread: float) -> Material:
    """The same stuff from another batch: lighter or darker, warmer or colder."""
    light = spread * 0.08 * draw.uniform(-1, 1)
    warm = spread * 0.02 * draw.uniform(-1, 1)

    def shade(colour: Colour) -> Colour:
        red, green, blue = colour
        return red * (1 + light + warm), green * (1 + light), blue * (1 + light - warm)

    return replace(material, colour=shade(material.colour), second=shade(material.second))


def _station(number: int) -> Arm:
    draw = Draw("station", number)
    x, y = _ROBOT.base
    return replace(
        _ROBOT,
        camera=_camera(draw, 1.0),
        light=_lamp(draw, 1.0),
        base=(x + 0.01 * draw.uniform(-1, 1), y + 0.01 * draw.uniform(-1, 1)),
        floor=_shaded(_ROBOT.floor, draw, 1.0),
        wall=_shaded(_ROBOT.wall, draw, 1.0),
        table=_shaded(_ROBOT.table, draw, 1.5),
    )


def _held_out() -> Arm:
    draw = Draw("station", HELD_OUT)
    x, y = _ROBOT.base
    return replace(
        _ROBOT,
        # Outside the ten stations' range in azimuth, elevation and distance, inside sim-cameras'.
        camera=Camera(0.12, 0.87, 1.44, 28.5, (-0.02, 0.01, 0.03), -0.03),
        light=_lamp(draw, 2.0),
        base=(x - 0.015, y + 0.02),
        floor=_shaded(_ROBOT.floor, draw, 2.0),
        wall=_shaded(_ROBOT.wall, draw, 2.0),
        table=_shaded(_ROBOT.table, draw, 2.0),
    )


STATIONS: tuple[Arm, ...] = (*(_station(number) for number in range(HELD_OUT)), _held_out())
"""The ten training stations of ``sim`` and ``sim-cameras``, and the held-out one."""
