"""What darkens the room's light beside it: spheres that stand in for objects and for the hand.

All in float32 with sums, products and square roots only, so that no bit depends on the CPU."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.engine import mujoco

f32 = np.float32
# A blob darkens what is nearer than so many of its radii in x and y, and so many metres in z.
DARKENING_REACH = 4
DARKENING_HEIGHT = 0.16

# The box in metres whose cells tell which blobs may reach a point; the outermost cells hold all
# that lies beyond.
_CELLS = 64
_LOWEST = (-0.6, -0.6, -0.1)
_HIGHEST = (0.6, 0.6, 0.7)
_MARGIN = 1e-4  # metres, far more than rounding moves a point
_WORD = 64  # blobs of one table, a bit each


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

    @functools.cached_property
    def words(self) -> list[Blobs]:
        """These blobs in their order, at most 64 at a time: a bit each.

        >>> blobs = Blobs(np.zeros((70, 3), f32), np.ones(70, f32), np.zeros(70, np.int32))
        >>> [len(part.radius) for part in blobs.words]
        [64, 6]
        """
        starts = range(0, len(self.radius), _WORD)
        parts = [slice(start, start + _WORD) for start in starts]
        return [Blobs(self.centre[part], self.radius[part], self.body[part]) for part in parts]

    @functools.cached_property
    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """uint64, the bits of the blobs that may reach into a cell: of x and y, (cells * cells,),
        and of z, (cells,).

        >>> blobs = Blobs(np.zeros((1, 3), f32), np.full(1, 0.02, f32), np.zeros(1, np.int32))
        >>> across, up = blobs.cells
        >>> int(across[0]), int(across[32 * 64 + 32])  # nothing at the edge, blob 0 in the middle
        (0, 1)
        """
        reach = self.radius * DARKENING_REACH + f32(_MARGIN)
        height = np.full(len(reach), DARKENING_HEIGHT + _MARGIN, f32)
        bits = _bits(len(reach))[:, None]
        cells = np.arange(_CELLS)
        tables = []
        for axis, far in enumerate((reach, reach, height)):
            first = _cell(self.centre[:, axis] - far, axis)[:, None]
            last = _cell(self.centre[:, axis] + far, axis)[:, None]
            inside = (cells >= first) & (cells <= last)
            tables.append(np.bitwise_or.reduce(np.where(inside, bits, np.uint64(0)), axis=0))
        x, y, z = tables
        return (x[:, None] & y).ravel(), z

    @functools.cached_property
    def others(self) -> np.ndarray:
        """uint64 (bodies,): the bits of the blobs that are not a body's own; the last one's has
        all.

        >>> blobs = Blobs(np.zeros((2, 3), f32), np.ones(2, f32), np.array([0, 1], np.int32))
        >>> blobs.others.tolist()[:2]
        [2, 1]
        """
        everyone = np.uint64((1 << len(self.radius)) - 1)
        others = np.full(int(self.body.max(initial=-1)) + 2, everyone)
        np.bitwise_and.at(others, self.body, ~_bits(len(self.radius)))
        return others


def _bits(count: int) -> np.ndarray:
    """uint64 (count,): a bit for each."""
    return np.left_shift(np.uint64(1), np.arange(count, dtype=np.uint64))


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
    for some in blobs.words:
        which, share = _shares(some, *_pairs(some, point, body), point, normal)
        # One after the other in the order of the blobs: a product in another order has other last
        # bits.
        np.multiply.at(left, which, share)
    return left


def _pairs(blobs: Blobs, point: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of points, and of blobs that may reach them, in the order of points and blobs."""
    across, up = blobs.cells
    near = across.take(_cell(point[0], 0) * _CELLS + _cell(point[1], 1))
    near &= up.take(_cell(point[2], 2))
    near &= blobs.others.take(np.minimum(body, len(blobs.others) - 1))
    some = np.flatnonzero(near != 0)
    near = near.take(some)
    # Little-endian bytes, bits from the lowest: byte b and bit i stand for blob 8 b + i. Empty
    # bytes, which most are, are not unpacked.
    octets = near.astype("<u8", copy=False).view(np.uint8)
    full = np.flatnonzero(octets != 0)
    bits = np.unpackbits(octets.take(full), bitorder="little")
    pairs = np.flatnonzero(bits.view(bool))
    blob = (full & 7).take(pairs >> 3) * 8
    blob += pairs & 7
    return np.repeat(some, np.bitwise_count(near)), blob


def _cell(place: np.ndarray, axis: int) -> np.ndarray:
    """The cell of coordinates, float32 (n,), along an axis; never falls where they rise."""
    width = (_HIGHEST[axis] - _LOWEST[axis]) / _CELLS
    cell = (place - f32(_LOWEST[axis])) * f32(1 / width)
    np.maximum(cell, f32(0), out=cell)
    np.minimum(cell, f32(_CELLS - 1), out=cell)
    return cell.astype(np.int64)


def _shares(
    blobs: Blobs, which: np.ndarray, blob: np.ndarray, point: np.ndarray, normal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of which a blob takes something, int (n,), and what it leaves, float32 (n,).

    which, blob: int (pairs,), the numbers of points and of blobs."""
    reach = (blobs.radius * DARKENING_REACH).take(blob)
    away = [blobs.centre[:, axis].take(blob) - point[axis].take(which) for axis in range(3)]
    close = (np.abs(away[0]) < reach) & (np.abs(away[1]) < reach)
    close &= np.abs(away[2]) < f32(DARKENING_HEIGHT)
    chosen = np.flatnonzero(close)
    x, y, z = (part.take(chosen) for part in away)
    which = which.take(chosen)
    along = x * normal[0].take(which) + y * normal[1].take(which) + z * normal[2].take(which)
    area = (blobs.radius * blobs.radius).take(blob.take(chosen))
    square = np.maximum(x * x + y * y + z * z, area)
    # The form factor of a sphere of radius r at distance d: cos(angle) r^2 / d^2.
    share = along / np.sqrt(square) * area / square
    return which, 1 - f32(0.85) * np.clip(share, 0, 1)


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
