"""What darkens the room's light beside it: spheres that stand in for objects and for the hand.

All in float32 with sums, products and square roots only, so that no bit depends on the CPU."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.engine import mujoco

f32 = np.float32
# A blob darkens what is nearer than so many of its radii in x and y, and so many metres in z.
DARKENING_REACH = 4
DARKENING_HEIGHT = 0.16
_BLOCK = 16  # points that lie beside each other


@dataclass(frozen=True)
class Blobs:
    """Spheres that stand in for things when they darken what is beside them.

    >>> blobs = Blobs(np.zeros((1, 3), f32), np.full(1, 0.02, f32), np.zeros(1, np.int32))
    >>> len(blobs.radius)
    1
    """

    centre: np.ndarray  # float32 (k, 3)
    radius: np.ndarray  # float32 (k,)
    body: np.ndarray  # int32 (k,): a body does not darken itself


def contact_darkening(
    blobs: Blobs, point: np.ndarray, normal: np.ndarray, body: np.ndarray
) -> np.ndarray:
    """float32 (n,) in 0..1: room light that the blobs leave to points of body ``body``.

    point, normal: float32 (3, n). body: int (n,). A blob takes what a sphere's form factor says.

    >>> blobs = Blobs(np.array([[0, 0, 0.03]], f32), np.full(1, 0.02, f32), np.array([7], np.int32))
    >>> point = np.array([[0, 0.2], [0, 0], [0, 0]], f32)  # below the blob, and far from it
    >>> normal = np.array([[0, 0], [0, 0], [1, 1]], f32)
    >>> contact_darkening(blobs, point, normal, np.array([0, 0])).round(2).tolist()
    [0.6200000047683716, 1.0]
    """
    left = np.ones(point.shape[1], f32)
    _darken(blobs.centre, blobs.radius, blobs.body, point, normal, body, left)
    return left


@compiled
def _darken(centre, radius, owner, point, normal, body, left):
    """Multiply ``left`` with what each blob leaves, one after the other in the order of the blobs:
    a product in another order has other last bits."""
    low = np.empty(3, f32)
    high = np.empty(3, f32)
    for start in range(0, len(left), _BLOCK):
        stop = min(start + _BLOCK, len(left))
        for axis in range(3):
            low[axis] = high[axis] = point[axis, start]
            for i in range(start + 1, stop):
                low[axis] = min(low[axis], point[axis, i])
                high[axis] = max(high[axis], point[axis, i])
        for k in range(len(radius)):
            reach = radius[k] * f32(DARKENING_REACH)
            # Rounding keeps order: what a box's corner tells holds for all points in it.
            if (
                _apart(centre[k, 0], low[0], high[0], reach)
                or _apart(centre[k, 1], low[1], high[1], reach)
                or _apart(centre[k, 2], low[2], high[2], f32(DARKENING_HEIGHT))
            ):
                continue
            # Unsigned numbers need no test for negative ones.
            for i in range(np.uintp(start), np.uintp(stop)):
                x = centre[k, 0] - point[0, i]
                y = centre[k, 1] - point[1, i]
                z = centre[k, 2] - point[2, i]
                near = abs(x) < reach and abs(y) < reach and abs(z) < f32(DARKENING_HEIGHT)
                if near and owner[k] != body[i]:
                    along = x * normal[0, i] + y * normal[1, i] + z * normal[2, i]
                    left[i] *= _share(x * x + y * y + z * z, along, radius[k] * radius[k])


@compiled
def _apart(centre, low, high, reach):
    """Whether no place in low..high is nearer to a centre than ``reach``."""
    return centre - high >= reach or low - centre >= reach


@compiled
def _share(square, along, area):
    """What a blob leaves of the room's light, by the form factor of a sphere of radius r at
    distance d: cos(angle) r^2 / d^2."""
    square = max(square, area)
    share = along / math.sqrt(square) * area / square
    return f32(1) - f32(0.85) * min(max(share, f32(0)), f32(1))


def body_blobs(model: mujoco.MjModel, body: int) -> tuple[np.ndarray, np.ndarray]:
    """Blobs of a body from its inertia box: centres in its frame, float64 (k, 3), radii (k,).

    Lengths in metres.

    >>> model = mujoco.MjModel.from_xml_string(
    ...     "<mujoco><worldbody><body><geom type='sphere' size='0.02'/></body></worldbody></mujoco>"
    ... )
    >>> centres, radius = body_blobs(model, body=1)
    >>> centres.tolist(), radius.round(4).tolist()
    ([[0.0, 0.0, 0.0]], [0.0163])
    """
    inertia = model.body_inertia[body]
    mass = float(model.body_mass[body])
    x, y, z = (float(i) for i in inertia)
    # Half sides of a box of the same inertia: Ixx = m (b^2 + c^2) / 3, so a^2 = 1.5 (Iyy + Izz -
    # Ixx) / m.
    half = [math.sqrt(max(1e-8, 1.5 * (s / mass))) for s in (y + z - x, x + z - y, x + y - z)]
    long = max(range(3), key=lambda axis: half[axis])
    others = [half[axis] for axis in range(3) if axis != long]
    radius = 1.05 * math.sqrt(others[0] * others[1])
    count = max(1, min(4, round(half[long] / radius)))
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.body_iquat[body])
    direction = rotation.reshape(3, 3)[:, long]
    reach = max(0.0, half[long] - radius)
    places = [0.0] if count == 1 else [reach * (2 * k / (count - 1) - 1) for k in range(count)]
    centres = np.array([model.body_ipos[body] + place * direction for place in places])
    return centres, np.full(count, radius)
