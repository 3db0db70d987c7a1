"""Textures computed at the hit point, in the geom's own frame: only sums, products and integer
hashes.

No sine or exponential of NumPy's is used: their last bits depend on the CPU's vector units, and
frames must not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pixelpush.datasets.sim import materials as m
from pixelpush.datasets.sim.compiled import compiled, inlined

f32 = np.float32
u32 = np.uint32


def lattice(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """float32 in [0, 1): a fixed random number for each pair of whole coordinates.

    u, v: float32 (n,), whole.

    >>> u = np.arange(3, dtype=np.float32)
    >>> bool((lattice(u, u) == lattice(u, u)).all()), len(set(lattice(u, u).tolist()))
    (True, 3)
    """
    found = np.empty_like(u)
    _fill_lattice(u, v, found)
    return found


def value_noise(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """float32 in [0, 1]: smooth noise of period about one in each coordinate.

    u, v: float32 (n,).

    >>> u = np.array([2.0, 2.5], np.float32)
    >>> v = np.zeros(2, np.float32)
    >>> noise = value_noise(u, v)
    >>> bool(noise[0] == lattice(u, v)[0]), bool(0 <= noise[1] <= 1)  # at whole places the lattice
    (True, True)
    """
    found = np.empty_like(u)
    _fill_noise(u, v, found)
    return found


@inlined
def _node(u, v):
    """The lattice's number at whole coordinates. Integers of different widths grow when they meet:
    each step is cut to 32 bits again."""
    h = u32(u32(np.int32(u)) * u32(0x9E3779B1)) ^ u32(u32(np.int32(v)) * u32(0x85EBCA77))
    h = u32(u32(h ^ h >> u32(15)) * u32(0x2C1B3C6D))
    h = u32(h ^ h >> u32(13))
    return f32(h >> u32(8)) * f32(2.0**-24)


@compiled
def _fill_lattice(u, v, found):
    for i in range(len(found)):
        found[i] = _node(u[i], v[i])


@compiled
def _fill_noise(u, v, found):
    for i in range(len(found)):
        iu = f32(math.floor(u[i]))
        iv = f32(math.floor(v[i]))
        fu = u[i] - iu
        fv = v[i] - iv
        # Smoothstep, 3 t^2 - 2 t^3: its slope is 0 at the lattice, so that no grid lines show.
        fu = fu * fu * (f32(3) - f32(2) * fu)
        fv = fv * fv * (f32(3) - f32(2) * fv)
        one = f32(1)
        low = _node(iu, iv) * (one - fu) + _node(iu + one, iv) * fu
        high = _node(iu, iv + one) * (one - fu) + _node(iu + one, iv + one) * fu
        found[i] = low * (one - fv) + high * fv


def _wave(x: np.ndarray, period: float) -> np.ndarray:
    """A triangle wave in [0, 1]."""
    x = x * (1 / period)
    return np.abs(x - np.floor(x + 0.5)) * 2


def _bands(x, y, z):
    return _wave(z, 0.03) < 0.4


def _checker(x, y, z):
    cells = np.floor(x * 66 + 0.5) + np.floor(y * 66 + 0.5) + np.floor(z * 66 + 0.5)
    return cells - 2 * np.floor(cells / 2) > 0.5


def _dots(x, y, z):
    u = _wave(x + 0.5 * z, 0.02)
    v = _wave(y - 0.3 * z, 0.02)
    w = _wave(z, 0.02)
    return u * u + v * v + 0.3 * w * w < 0.35


def _wood(x, y, z):
    rings = value_noise(x * 14 + 7, y * 120 + z * 90)
    fine = value_noise(x * 60, y * 520 + z * 400)
    return 0.65 * rings + 0.35 * fine


def _felt(x, y, z):
    broad = value_noise(x * 25 + 3, y * 25 + z * 25)
    fine = value_noise(x * 330, y * 330 + z * 290)
    return 0.35 * broad + 0.65 * fine


def _stripes(x, y, z):
    return _wave(x + 0.4 * y, 0.024) < 0.45


def _label(x, y, z):
    """A paper label round the middle, with lines of print."""
    paper = np.abs(z) < 0.018
    print_line = (_wave(z, 0.009) < 0.35) & (value_noise(x * 300 + y * 300, z * 20) > 0.45)
    return np.where(paper, np.where(print_line, 0.35, 1.0), 0.0)


def _speckle(x, y, z):
    broad = value_noise(x * 6 + 11, y * 6 + z * 6)
    fine = value_noise(x * 140, y * 140 + z * 140)
    return 0.55 * broad + 0.45 * fine


def _planks(x, y, z):
    row = np.floor(y * 11)
    gap = _wave(y, 1 / 11) > 0.965
    grain = value_noise(x * 9 + row * 17, y * 150)
    tone = lattice(row, row * 0 + 3)
    return np.where(gap, 1.6, 0.5 * grain + 0.5 * tone)


_PATTERNS: dict[int, Callable[..., np.ndarray]] = {
    m.BANDS: _bands,
    m.CHECKER: _checker,
    m.DOTS: _dots,
    m.WOOD: _wood,
    m.FELT: _felt,
    m.STRIPES: _stripes,
    m.LABEL: _label,
    m.SPECKLE: _speckle,
    m.PLANKS: _planks,
}


def pattern_mix(pattern: np.ndarray, local: np.ndarray) -> np.ndarray:
    """float32 (n,): how far the second colour replaces the first.

    pattern: int (n,), as materials.py numbers them. local: float32 (3, n), metres in the geom's
    frame.

    >>> local = np.array([[0, 0], [0, 0], [0, 0.015]], np.float32)
    >>> pattern_mix(np.array([m.BANDS, m.BANDS]), local).tolist()
    [1.0, 0.0]
    """
    mix = np.zeros(pattern.shape, np.float32)
    for kind in np.flatnonzero(np.bincount(pattern)).tolist():
        if kind != m.PLAIN:
            where = np.flatnonzero(pattern == kind)
            mix[where] = _PATTERNS[kind](*local.take(where, axis=1))
    return mix
