"""How a surface point is lit: key, fill and room light, darkening near walls, the tone curve.

All in float32 with sums, products, square roots and tables only, so that no bit depends on the CPU.
Arrays over n points: positions and normals are (3, n), colours (3, n) in linear light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.arm import Light
from pixelpush.datasets.sim.compiled import compiled, inlined
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


def room_light(lamp: Lamp, albedo: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Light that casts no shadow, from sky, ground and fill: (3, n).

    >>> lamp = Lamp.of(Light((0.55, -0.75, 1.25)), floor=(0.5, 0.5, 0.5))
    >>> up = np.array([[0], [0], [1]], f32)
    >>> grey = np.full((3, 1), 0.5, f32)
    >>> bool((room_light(lamp, grey, up) > room_light(lamp, grey, -up)).all())
    True
    """
    out = np.empty_like(albedo)
    _room(lamp.ground, lamp.sky, lamp.fill, lamp.fill_direction, albedo, normal, out)
    return out


@compiled
def _room(ground, sky, fill, towards_fill, albedo, normal, out):
    """A hemisphere: sky above, ground below, mixed by (1 + n_z) / 2; the fill wraps round edges."""
    for i in range(out.shape[1]):
        up = f32(0.5) + f32(0.5) * normal[2, i]
        facing = towards_fill[0] * normal[0, i] + towards_fill[1] * normal[1, i]
        facing += towards_fill[2] * normal[2, i]
        side = max(facing + f32(0.25), f32(0)) * f32(0.8)
        for c in range(3):
            out[c, i] = albedo[c, i] * (ground[c] + (sky[c] - ground[c]) * up + fill[c] * side)


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
    out = np.empty_like(albedo)
    _key(lamp.position, lamp.key, albedo, gloss, point, normal, view, out)
    return out


@compiled
def _key(lamp, key, albedo, gloss, point, normal, view, out):
    """Blinn 1977: the highlight is (n . h)^32, h half-way between lamp and camera. A square over
    h . h stands for the unit h, without a root."""
    for i in range(out.shape[1]):
        x = lamp[0] - point[0, i]
        y = lamp[1] - point[1, i]
        z = lamp[2] - point[2, i]
        square = x * x + y * y + z * z
        length = math.sqrt(square)
        x /= length
        y /= length
        z /= length
        facing = max(x * normal[0, i] + y * normal[1, i] + z * normal[2, i], f32(0))
        near = f32(_KEY_DISTANCE * _KEY_DISTANCE) / square
        x -= view[0, i]
        y -= view[1, i]
        z -= view[2, i]
        shine = f32(0)
        if facing > 0:
            shine = max(x * normal[0, i] + y * normal[1, i] + z * normal[2, i], f32(0))
            shine = shine * shine / max(x * x + y * y + z * z, f32(1e-6))
            for _ in range(4):  # (cosine squared) to the 16th: an exponent of 32
                shine *= shine
            shine *= gloss[i] * f32(_HIGHLIGHT)
        for c in range(3):
            out[c, i] = (albedo[c, i] * facing + shine) * (key[c] * near)


def corner_darkening(point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """float32 (n,) in 0..1: how much of the room's light reaches a point near the bin's walls.

    It holds inside and outside of the bin.

    >>> point = np.array([[0, BIN], [0, 0], [0, 0]], f32)  # the middle of the floor, and its edge
    >>> up = np.array([[0, 0], [0, 0], [1, 1]], f32)
    >>> middle, edge = corner_darkening(point, up)
    >>> bool(middle > edge)
    True
    """
    left = np.empty(point.shape[1], f32)
    _corners(point, normal, left)
    return left


@compiled
def _corners(point, normal, left):
    """Put the share of the room's light into left, float32 (n,)."""
    for i in range(len(left)):
        x = abs(point[0, i])
        y = abs(point[1, i])
        z = point[2, i]
        inner = f32(BIN) - max(x, y)
        if inner > f32(-0.045) and z > f32(-0.005):
            corner = f32(BIN) - min(x, y)
            depth = _between(f32(1) - z / f32(2 * WALL_HALF_HEIGHT))
            if abs(normal[2, i]) < f32(0.6) and inner < f32(0.02):
                taken = f32(0.5) * depth + f32(0.2) * _close(corner, f32(1 / 0.05))
            else:
                taken = f32(0.42) * _close(inner, f32(1 / 0.04))
                taken = (taken + f32(0.25) * _close(corner, f32(1 / 0.04))) * depth
        else:
            height = _between(f32(1) - (z - f32(TABLE)) * f32(1 / 0.12))
            taken = f32(0.5) * _close(-inner - f32(0.02), f32(1 / 0.05)) * height
        left[i] = f32(1) - taken


@inlined
def _close(distance, per_reach):
    """1 at a wall, a half at its reach. per_reach: one over it."""
    ratio = max(distance, f32(0)) * per_reach
    return f32(1) / (f32(1) + ratio * ratio)


@inlined
def _between(value):
    """A value cut to 0..1."""
    return min(max(value, f32(0)), f32(1))


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
