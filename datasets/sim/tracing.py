"""Rays against MuJoCo's primitives, compiled: the bits of ``mj_multiRay`` in less of its time.

The formulas are the usual ones, with MuJoCo's order of operations. What saves time is what needs no
formula: rays are taken in packets of neighbours, and geoms outside a packet's cone are passed over
together.

Geoms are rows of one table, float64 (geoms, COLUMNS): place, rotation by rows, size, squared radius
of the sphere that MuJoCo tests first, radius of a sphere that holds the geom for sure, MuJoCo's
type, and whether it lies below the floor."""

from __future__ import annotations

import math

import numpy as np

from pixelpush.datasets.sim.compiled import compiled, inlined

PLACE, TURN, SIZE, BALL, REACH, KIND, LOW, COLUMNS = 0, 3, 12, 15, 16, 17, 18, 19
SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX = 2, 3, 4, 5, 6
SURFACE = 2e-3  # metres: what a ray meets so near to its point is the point's own surface
_LEVEL = -1e-6  # metres: points above it cannot lie in the shadow of what is below the floor
_LEAST = 1e-15  # MuJoCo's smallest number
_ROOM = 1e-9  # metres, far more than rounding moves a point
_PACKET = 8
_WIDE = 0.1  # cosine of the cone that is no longer narrow


@inlined
def _root(a, b, c):
    """The first root at 0 or above of a x^2 + 2 b x + c, or -1."""
    square = b * b - a * c
    if square < _LEAST:
        return -1.0
    root = math.sqrt(square)
    near = (-b - root) / a
    if near >= 0:
        return near
    far = (-b + root) / a
    return far if far >= 0 else -1.0


@inlined
def _ellipsoid(a, b, c, px, py, pz, vx, vy, vz):
    x = 1 / (a * a)
    y = 1 / (b * b)
    z = 1 / (c * c)
    return _root(
        x * vx * vx + y * vy * vy + z * vz * vz,
        x * vx * px + y * vy * py + z * vz * pz,
        x * px * px + y * py * py + z * pz * pz - 1,
    )


@inlined
def _side(r, h, px, py, pz, vx, vy, vz):
    """The round side of cylinders and capsules."""
    found = _root(vx * vx + vy * vy, vx * px + vy * py, px * px + py * py - r * r)
    return found if found >= 0 and abs(pz + found * vz) <= h else -1.0


@inlined
def _cylinder(r, h, px, py, pz, vx, vy, vz):
    best = -1.0
    face = 0
    if abs(vz) > _LEAST:
        for side in range(-1, 2, 2):
            found = (side * h - pz) / vz
            x = px + found * vx
            y = py + found * vy
            if found >= 0 and x * x + y * y <= r * r and (best < 0 or found < best):
                best = found
                face = side
    found = _side(r, h, px, py, pz, vx, vy, vz)
    if found >= 0 and (best < 0 or found < best):
        return found, 0
    return best, face


@inlined
def _capsule(r, h, px, py, pz, vx, vy, vz):
    best = _side(r, h, px, py, pz, vx, vy, vz)
    face = 0
    a = vx * vx + vy * vy + vz * vz
    for side in range(1, -2, -2):
        z = pz - side * h
        b = vx * px + vy * py + vz * z
        square = b * b - a * (px * px + py * py + z * z - r * r)
        if square >= _LEAST:
            for sign in range(-1, 2, 2):
                found = (-b + sign * math.sqrt(square)) / a
                outside = side * (pz + found * vz) >= h
                if found >= 0 and outside and (best < 0 or found < best):
                    best = found
                    face = side
    return best, face


@inlined
def _between(h, p, v, axis, near, far, face):
    """near..far cut to where a ray is between two faces of a box, and the face it enters by."""
    if abs(v) <= _LEAST:
        return near, far if abs(p) <= h + _ROOM else -1.0, face
    inverse = 1 / v
    side = 1 if v < 0 else -1
    enters = (side * (h + _ROOM) - p) * inverse
    leaves = (-side * (h + _ROOM) - p) * inverse
    if enters > near:
        near = enters
        face = side * axis
    return near, min(far, leaves), face


@inlined
def _slab(h, p, v, h1, p1, v1, h2, p2, v2, axis, best, face):
    """The nearer of ``best`` and the two faces of a box across an axis."""
    if abs(v) > _LEAST:
        for side in range(-1, 2, 2):
            found = (side * h - p) / v
            inside = abs(p1 + found * v1) <= h1 and abs(p2 + found * v2) <= h2
            if found >= 0 and inside and (best < 0 or found < best):
                best = found
                face = side * axis
    return best, face


@inlined
def _enters(h, p, v, h1, p1, v1, h2, p2, v2, face):
    """Where a ray enters by a face, well inside of the face's edges; or -1."""
    found = ((h if face > 0 else -h) - p) / v
    inside = abs(p1 + found * v1) < h1 - _ROOM and abs(p2 + found * v2) < h2 - _ROOM
    return found if inside and found >= 0 else -1.0


@inlined
def _box(a, b, c, px, py, pz, vx, vy, vz, far):
    near, far, face = _between(a, px, vx, 1, 0.0, far + _ROOM, 0)
    near, far, face = _between(b, py, vy, 2, near, far, face)
    near, far, face = _between(c, pz, vz, 3, near, far, face)
    if near > far:
        return -1.0, 0
    found = -1.0
    if abs(face) == 1:
        found = _enters(a, px, vx, b, py, vy, c, pz, vz, face)
    elif abs(face) == 2:
        found = _enters(b, py, vy, a, px, vx, c, pz, vz, face)
    elif abs(face) == 3:
        found = _enters(c, pz, vz, a, px, vx, b, py, vy, face)
    if found >= 0:  # away from all edges, rounding cannot make another face the nearest
        return found, face
    best, face = _slab(a, px, vx, b, py, vy, c, pz, vz, 1, -1.0, 0)
    best, face = _slab(b, py, vy, a, px, vx, c, pz, vz, 2, best, face)
    return _slab(c, pz, vz, a, px, vx, b, py, vy, 3, best, face)


@inlined
def _meet(geoms, g, ox, oy, oz, vx, vy, vz, far):
    """How far geom g is along a ray, and by which face it is met; -1 or more than ``far`` where it
    is not before ``far``."""
    dx = ox - geoms[g, 0]
    dy = oy - geoms[g, 1]
    dz = oz - geoms[g, 2]
    a = vx * vx + vy * vy + vz * vz
    b = vx * dx + vy * dy + vz * dz
    c = dx * dx + dy * dy + dz * dz - geoms[g, BALL]
    square = b * b - a * c
    if square < _LEAST or (b > 0 and c > 0) or -b - math.sqrt(square) > (far + _ROOM) * a:
        return -1.0, 0
    kind = geoms[g, KIND]
    if kind == SPHERE:
        return _root(a, b, c), 0
    px = geoms[g, 3] * dx + geoms[g, 6] * dy + geoms[g, 9] * dz
    py = geoms[g, 4] * dx + geoms[g, 7] * dy + geoms[g, 10] * dz
    pz = geoms[g, 5] * dx + geoms[g, 8] * dy + geoms[g, 11] * dz
    ux = geoms[g, 3] * vx + geoms[g, 6] * vy + geoms[g, 9] * vz
    uy = geoms[g, 4] * vx + geoms[g, 7] * vy + geoms[g, 10] * vz
    uz = geoms[g, 5] * vx + geoms[g, 8] * vy + geoms[g, 11] * vz
    x = geoms[g, SIZE]
    y = geoms[g, SIZE + 1]
    z = geoms[g, SIZE + 2]
    if kind == BOX:
        return _box(x, y, z, px, py, pz, ux, uy, uz, far)
    if kind == CAPSULE:
        return _capsule(x, y, px, py, pz, ux, uy, uz)
    if kind == CYLINDER:
        return _cylinder(x, y, px, py, pz, ux, uy, uz)
    return _ellipsoid(x, y, z, px, py, pz, ux, uy, uz), 0


@inlined
def _tangents(geoms, asked, ox, oy, oz, tangent, near):
    """Of the spheres of some geoms: the lengths of their tangents, and how far they are."""
    for k in range(len(asked)):
        g = asked[k]
        dx = geoms[g, 0] - ox
        dy = geoms[g, 1] - oy
        dz = geoms[g, 2] - oz
        square = dx * dx + dy * dy + dz * dz
        reach = geoms[g, REACH]
        near[k] = math.sqrt(square) - reach
        square -= reach * reach
        tangent[k] = math.sqrt(square) if square > 0 else -np.inf


@inlined
def _narrow(geoms, asked, tangent, near, ox, oy, oz, rays, start, stop, far, some):
    """Put the geoms that a packet of rays may meet into ``some``; returns how many they are."""
    x = y = z = 0.0
    for i in range(start, stop):
        x += rays[i, 0]
        y += rays[i, 1]
        z += rays[i, 2]
    length = math.sqrt(x * x + y * y + z * z) + _LEAST
    x /= length
    y /= length
    z /= length
    cosine = 1.0
    for i in range(start, stop):
        cosine = min(cosine, rays[i, 0] * x + rays[i, 1] * y + rays[i, 2] * z)
    cosine -= _ROOM
    sine = math.sqrt(max(0.0, 1 - cosine * cosine))
    count = 0
    for k in range(len(asked)):
        g = asked[k]
        # A cone and a sphere, whose angles from the ray's start are a and b, overlap where the
        # cosine of the angle between them is at least cos(a + b).
        along = (geoms[g, 0] - ox) * x + (geoms[g, 1] - oy) * y + (geoms[g, 2] - oz) * z
        least = cosine * tangent[k] - sine * geoms[g, REACH] - _ROOM
        if near[k] <= far and (along >= least or cosine < _WIDE):
            some[count] = g
            count += 1
    return count


@compiled
def cast(geoms, asked, origin, rays, geom, distance, face):
    """Find the nearest of some geoms along rays, in place.

    geom: int32 (n,), -1 for none. distance: float64 (n,), infinite for none. face: int32 (n,), by
    which the geom is met, see ``normals.py``. asked: int64 (k,), numbers of geoms, rising. origin:
    float64 (3,). rays: float64 (n, 3), unit.

    >>> ball = np.zeros((1, COLUMNS))
    >>> ball[0, [SIZE, BALL, REACH, KIND]] = 0.1, 0.1**2, 0.1, SPHERE
    >>> found = np.zeros(1, np.int32), np.zeros(1), np.zeros(1, np.int32)
    >>> asked, up = np.zeros(1, np.int64), np.array([[0.0, 0.0, 1.0]])
    >>> cast(ball, asked, np.array([0.0, 0.0, -1.0]), up, *found)
    >>> found[0].tolist(), found[1].round(6).tolist()
    ([0], [0.9])
    """
    ox, oy, oz = origin[0], origin[1], origin[2]
    tangent = np.empty(len(asked))
    near = np.empty(len(asked))
    some = np.empty(len(asked), np.int64)
    _tangents(geoms, asked, ox, oy, oz, tangent, near)
    for start in range(0, len(rays), _PACKET):
        stop = min(start + _PACKET, len(rays))
        count = _narrow(geoms, asked, tangent, near, ox, oy, oz, rays, start, stop, np.inf, some)
        for i in range(start, stop):
            vx, vy, vz = rays[i, 0], rays[i, 1], rays[i, 2]
            best = np.inf
            first = -1
            entered = 0
            for k in range(count):
                found, side = _meet(geoms, some[k], ox, oy, oz, vx, vy, vz, best)
                if found >= 0 and found < best:
                    best = found
                    first = some[k]
                    entered = side
            geom[i] = first
            distance[i] = best
            face[i] = entered


@compiled
def hide(geoms, asked, lamps, lamp, points, hidden):
    """Tell in hidden, bool (n,), whether some geoms hide points from their lamps.

    asked: int64 (k,), numbers of geoms. lamps: float64 (l, 3). lamp: int64 (n,), each point's; runs
    of one lamp are fast. points: float64 (n, 3).

    >>> ball = np.zeros((1, COLUMNS))
    >>> ball[0, [SIZE, BALL, REACH, KIND]] = 0.1, 0.1**2, 0.1, SPHERE
    >>> lamps, points = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, -1.0], [1.0, 0.0, -1.0]])
    >>> one, hidden = np.zeros(1, np.int64), np.zeros(2, bool)
    >>> hide(ball, one, lamps, np.zeros(2, np.int64), points, hidden)
    >>> hidden.tolist()
    [True, False]
    """
    tangent = np.empty(len(asked))
    near = np.empty(len(asked))
    some = np.empty(len(asked), np.int64)
    rays = np.empty((_PACKET, 3))
    far = np.empty(_PACKET)
    last = -1
    start = 0
    while start < len(points):
        own = lamp[start]
        ox, oy, oz = lamps[own, 0], lamps[own, 1], lamps[own, 2]
        if own != last:
            _tangents(geoms, asked, ox, oy, oz, tangent, near)
            last = own
        size = 0
        most = 0.0
        while start + size < len(points) and size < _PACKET and lamp[start + size] == own:
            x = points[start + size, 0] - ox
            y = points[start + size, 1] - oy
            z = points[start + size, 2] - oz
            length = math.sqrt(x * x + y * y + z * z)
            rays[size, 0] = x / length
            rays[size, 1] = y / length
            rays[size, 2] = z / length
            far[size] = length - SURFACE
            most = max(most, length)
            size += 1
        count = _narrow(geoms, asked, tangent, near, ox, oy, oz, rays, 0, size, most, some)
        for i in range(size):
            above = points[start + i, 2] >= _LEVEL
            hidden[start + i] = False
            for k in range(count):
                g = some[k]
                if not (above and geoms[g, LOW]):
                    found, _ = _meet(
                        geoms, g, ox, oy, oz, rays[i, 0], rays[i, 1], rays[i, 2], far[i]
                    )
                    if found >= 0 and found <= far[i]:
                        hidden[start + i] = True
                        break
        start += size
