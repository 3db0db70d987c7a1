"""Normals where rays meet MuJoCo's primitives, compiled: the bits of ``mj_multiRay``.

A face is 1, 2 or 3 with its sign for those of a box across x, y and z, 1 or -1 for the ends of
cylinders and capsules, and 0 for all that is round."""

from __future__ import annotations

import math

from pixelpush.datasets.sim.compiled import compiled, inlined
from pixelpush.datasets.sim.tracing import BOX, CAPSULE, ELLIPSOID, KIND, SIZE, SPHERE, TURN


@inlined
def _inward(geoms, g, face, x, y, z):
    """The normal in a geom's own frame, not of unit length, at a point of its surface there."""
    kind = geoms[g, KIND]
    if kind == ELLIPSOID:
        a = geoms[g, SIZE]
        b = geoms[g, SIZE + 1]
        c = geoms[g, SIZE + 2]
        return x * (1 / (a * a)), y * (1 / (b * b)), z * (1 / (c * c))
    if face == 0:
        return x, y, 0.0
    if kind == CAPSULE:
        return x, y, z - face * geoms[g, SIZE + 1]
    return 0.0, 0.0, float(face)


@inlined
def _normal(geoms, g, face, origin, ray, distance, out, i):
    """The unit normal where a ray meets geom g, into row i of out, float64 (n, 3)."""
    ox, oy, oz = origin
    vx, vy, vz = ray
    if geoms[g, KIND] == BOX:
        axis = abs(face) - 1
        side = 1.0 if face > 0 else -1.0
        for k in range(3):
            out[i, k] = geoms[g, TURN + 3 * k + axis] * side
        return
    if geoms[g, KIND] == SPHERE:
        x = ox + distance * vx - geoms[g, 0]
        y = oy + distance * vy - geoms[g, 1]
        z = oz + distance * vz - geoms[g, 2]
        inverse = 1 / math.sqrt(x * x + y * y + z * z)
        out[i, 0] = x * inverse
        out[i, 1] = y * inverse
        out[i, 2] = z * inverse
        return
    dx = ox - geoms[g, 0]
    dy = oy - geoms[g, 1]
    dz = oz - geoms[g, 2]
    for k in range(3):
        a = geoms[g, TURN + k]
        b = geoms[g, TURN + 3 + k]
        c = geoms[g, TURN + 6 + k]
        out[i, k] = (a * dx + b * dy + c * dz) + distance * (a * vx + b * vy + c * vz)
    x, y, z = _inward(geoms, g, face, out[i, 0], out[i, 1], out[i, 2])
    inverse = 1 / math.sqrt(x * x + y * y + z * z)
    x *= inverse
    y *= inverse
    z *= inverse
    for k in range(3):
        row = TURN + 3 * k
        out[i, k] = geoms[g, row] * x + geoms[g, row + 1] * y + geoms[g, row + 2] * z


@compiled
def normals(geoms, geom, face, origin, rays, distance, normal):
    """Put the unit normals of what rays meet, 0 for nothing, into normal, float64 (n, 3).

    geoms: the table of ``tracing.py``. geom, face: int32 (n,), as ``tracing.cast`` finds them.
    origin: float64 (3,). rays: float64 (n, 3). distance: float64 (n,).

    >>> import numpy as np
    >>> ball = np.zeros((1, 19))
    >>> ball[0, KIND] = SPHERE
    >>> first, found = np.zeros(1, np.int32), np.zeros((1, 3))
    >>> up = np.array([[0.0, 0.0, 1.0]])
    >>> normals(ball, first, first, np.array([0.0, 0.0, -1.0]), up, np.array([0.9]), found)
    >>> found.tolist()
    [[0.0, 0.0, -1.0]]
    """
    eye = origin[0], origin[1], origin[2]
    for i in range(len(geom)):
        normal[i, 0] = normal[i, 1] = normal[i, 2] = 0.0
        if geom[i] >= 0:
            ray = rays[i, 0], rays[i, 1], rays[i, 2]
            _normal(geoms, geom[i], face[i], eye, ray, distance[i], normal, i)
