"""How a surface point is lit: key, fill and room light, darkening near walls, the tone curve.

All in float32 with sums, products, square roots and tables only, so that no bit depends on the CPU.
Arrays over n points: positions and normals are (3, n), colours (3, n) in linear light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.arm import Light
from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.materials import Colour
from pixelpush.datasets.sim.scene import BIN, TABLE, WALL_HALF_HEIGHT

_SKY = (0.215, 0.225, 0.245)
_BOUNCE = (0.60, 0.57, 0.53)  # of the sky's light, thrown back from below
_FILL = (0.135, 0.145, 0.165)
_KEY = 0.92
_KEY_DISTANCE = 1.5  # metres at which the key light has its nominal strength
_HIGHLIGHT = 0.28

f32 = np.float32


@dataclass(frozen=True)
class Lamp:
    """Light constants of a scene, ready for shading.

    >>> Lamp.of(Light((0.55, -0.75, 1.25)), floor=(0.5, 0.5, 0.5)).position.shape
    (3,)
    """

    position: np.ndarray  # float32 (3,)
    key: np.ndarray  # float32 (3,)
    sky: np.ndarray
    ground: np.ndarray
    fill: np.ndarray
    fill_direction: np.ndarray  # unit, towards the fill light

    @classmethod
    def of(cls, light: Light, floor: Colour) -> Lamp:
        """The constants of a light over a floor of this colour, in linear light.

        >>> dim = Lamp.of(Light((0.55, -0.75, 1.25), room=0.5), floor=(0.5, 0.5, 0.5))
        >>> full = Lamp.of(Light((0.55, -0.75, 1.25)), floor=(0.5, 0.5, 0.5))
        >>> (dim.sky / full.sky).tolist()
        [0.5, 0.5, 0.5]
        """
        x, y, _ = light.position
        away = math.sqrt(x * x + y * y + 0.36)
        bounce = [s * b * (0.4 + 0.6 * c) for s, b, c in zip(_SKY, _BOUNCE, floor, strict=True)]
        return cls(
            position=np.array(light.position, f32),
            key=np.array([c * light.strength * _KEY for c in light.colour], f32),
            sky=np.array(_SKY, f32) * f32(light.room),
            ground=np.array(bounce, f32) * f32(light.room),
            fill=np.array(_FILL, f32) * f32(light.room),
            fill_direction=np.array([-x / away, -y / away, 0.6 / away], f32),
        )


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The dot product over the first axis of length 3, in a fixed order.

    >>> dot(np.array([1.0, 2.0, 3.0]), np.ones(3)).tolist()
    6.0
    """
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def column(vector: np.ndarray) -> np.ndarray:
    """A vector (3,) as (3, 1), to be used against (3, n).

    >>> column(np.zeros(3)).shape
    (3, 1)
    """
    return vector[:, None]


def room_light(lamp: Lamp, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Light that casts no shadow, from sky, ground and fill: (3, n).

    >>> lamp = Lamp.of(Light((0.55, -0.75, 1.25)), floor=(0.5, 0.5, 0.5))
    >>> up = np.array([[0], [0], [1]], f32)
    >>> grey = np.full((3, 1), 0.5, f32)
    >>> bool((room_light(lamp, grey, up) > room_light(lamp, grey, -up)).all())
    True
    """
    # A hemisphere: sky above, ground below, mixed by (1 + n_z) / 2; the fill wraps round edges.
    up = 0.5 + 0.5 * normal[2]
    side = np.maximum(dot(column(lamp.fill_direction), normal) + f32(0.25), 0) * f32(0.8)
    out = np.empty_like(albedo)
    for c in range(3):
        out[c] = albedo[c] * (
            lamp.ground[c] + (lamp.sky[c] - lamp.ground[c]) * up + lamp.fill[c] * side
        )
    return out


def key_light(
    lamp: Lamp,
    albedo: np.ndarray,
    gloss: np.ndarray,
    point: np.ndarray,
    normal: np.ndarray,
    view: np.ndarray,
) -> np.ndarray:
    """The key light where nothing shades it, with its highlight: float32 (3, n).

    gloss: (n,). view: (3, n), unit rays from the camera.

    >>> lamp = Lamp.of(Light((0.0, 0.0, 1.5)), floor=(0.5, 0.5, 0.5))
    >>> up = np.array([[0], [0], [1]], f32)
    >>> grey = np.full((3, 1), 0.5, f32)
    >>> matt = np.zeros(1, f32)
    >>> key_light(lamp, grey, matt, np.zeros((3, 1), f32), -up, -up).tolist()  # faces away
    [[0.0], [0.0], [0.0]]
    """
    to_light = column(lamp.position) - point
    square = dot(to_light, to_light)
    to_light /= np.sqrt(square)
    facing = np.maximum(dot(to_light, normal), 0)
    near = f32(_KEY_DISTANCE * _KEY_DISTANCE) / square
    # Blinn 1977: the highlight is (n . h)^32, h half-way between lamp and camera. A square over h .
    # h stands for the unit h, without a root.
    half = to_light - view
    shine = np.maximum(dot(half, normal), 0)
    shine = shine * shine / np.maximum(dot(half, half), f32(1e-6))
    for _ in range(4):  # (cosine squared) to the 16th: an exponent of 32
        shine = shine * shine
    shine *= gloss * f32(_HIGHLIGHT) * (facing > 0)
    out = np.empty_like(albedo)
    for c in range(3):
        out[c] = (albedo[c] * facing + shine) * (lamp.key[c] * near)
    return out


def corner_darkening(point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """float32 (n,) in 0..1: how much of the room's light reaches a point near the bin's walls.

    It holds inside and outside of the bin.

    >>> point = np.array([[0, BIN], [0, 0], [0, 0]], f32)  # the middle of the floor, and its edge
    >>> up = np.array([[0, 0], [0, 0], [1, 1]], f32)
    >>> middle, edge = corner_darkening(point, up)
    >>> bool(middle > edge)
    True
    """
    x, y, z = point
    inner = f32(BIN) - np.maximum(np.abs(x), np.abs(y))
    corner = f32(BIN) - np.minimum(np.abs(x), np.abs(y))
    inside = (inner > -0.045) & (z > -0.005)
    depth = np.clip(1 - z / f32(2 * WALL_HALF_HEIGHT), 0, 1)

    def close(distance: np.ndarray, reach: float) -> np.ndarray:
        ratio = np.maximum(distance, 0) * f32(1 / reach)
        return 1 / (1 + ratio * ratio)

    floor = f32(0.42) * close(inner, 0.04) + f32(0.25) * close(corner, 0.04)
    wall = f32(0.5) * depth + f32(0.2) * close(corner, 0.05)
    upright = np.abs(normal[2]) < f32(0.6)
    near_wall = upright & (inner < 0.02)
    within = np.where(near_wall, wall, floor * depth)
    outer = -inner
    height = np.clip(1 - (z - f32(TABLE)) * f32(1 / 0.12), 0, 1)
    without = f32(0.5) * close(outer - f32(0.02), 0.05) * height
    return 1 - np.where(inside, within, without).astype(f32)


def _tone_table() -> np.ndarray:
    """float32 (65536,): linear light 0..1.25 -> display level; a soft shoulder, then the display's
    power."""
    levels = []
    for index in range(65536):
        light = 1.25 * index / 65535
        # Straight up to 0.6, then bending so that 1.25 comes out just below white.
        if light > 0.6:
            over = (light - 0.6) / 0.65
            light = 0.6 + 0.39 * over * (1.55 - 0.55 * over)
        levels.append(min(255.0, 255 * math.pow(light, 1 / 2.2)))
    return np.array(levels, f32)


_TONE = _tone_table()


def develop(light: np.ndarray) -> np.ndarray:
    """Linear light, float32, any shape -> float32 levels 0..255 as a camera would give them.

    >>> develop(np.array([0.0, 1.25], f32)).round().tolist()
    [0.0, 254.0]
    """
    levels = np.empty(light.shape, f32)
    _look_up(light.ravel(), _TONE, levels.reshape(-1))
    return levels


@compiled
def _look_up(light, tone, levels):
    """Put the levels of light, float32 (n,), into levels, float32 (n,)."""
    for i in range(len(light)):
        index = min(max(light[i], f32(0)), f32(1.25)) * f32(65535 / 1.25) + f32(0.5)
        levels[i] = tone[int(index)]
