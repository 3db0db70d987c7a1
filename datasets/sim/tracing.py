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
_EYE, _TANGENT, _NEAR, _SEEN = 19, 22, 23, 24  # further columns of geoms that are seen
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
def _ellipsoid(size, p, v):
    a, b, c = size
    px, py, pz = p
    vx, vy, vz = v
    x = 1 / (a * a)
    y = 1 / (b * b)
    z = 1 / (c * c)
    return _root(
        x * vx * vx + y * vy * vy + z * vz * vz,
        x * vx * px + y * vy * py + z * vz * pz,
        x * px * px + y * py * py + z * pz * pz - 1,
    )


@inlined
def _side(size, p, v):
    """The round side of cylinders and capsules."""
    r, h, _ = size
    px, py, pz = p
    vx, vy, vz = v
    found = _root(vx * vx + vy * vy, vx * px + vy * py, px * px + py * py - r * r)
    return found if found >= 0 and abs(pz + found * vz) <= h else -1.0


@inlined
def _cylinder(size, p, v):
    r, h, _ = size
    px, py, pz = p
    vx, vy, vz = v
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
    found = _side(size, p, v)
    if found >= 0 and (best < 0 or found < best):
        return found, 0
    return best, face


@inlined
def _capsule(size, p, v):
    r, h, _ = size
    px, py, pz = p
    vx, vy, vz = v
    best = _side(size, p, v)
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
def _between(across, axis, near, far, face):
    """near..far cut to where a ray is between two faces of a box, and the face it enters by.

    across, and in what follows one and two: of an axis the box's half size, the ray's place and its
    direction."""
    h, p, v = across
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
def _slab(across, one, two, axis, best, face):
    """The nearer of ``best`` and the two faces of a box across an axis."""
    h, p, v = across
    h1, p1, v1 = one
    h2, p2, v2 = two
    if abs(v) > _LEAST:
        for side in range(-1, 2, 2):
            found = (side * h - p) / v
            inside = abs(p1 + found * v1) <= h1 and abs(p2 + found * v2) <= h2
            if found >= 0 and inside and (best < 0 or found < best):
                best = found
                face = side * axis
    return best, face


@inlined
def _enters(across, one, two, face):
    """Where a ray enters by a face, well inside of the face's edges; or -1."""
    h, p, v = across
    h1, p1, v1 = one
    h2, p2, v2 = two
    found = ((h if face > 0 else -h) - p) / v
    inside = abs(p1 + found * v1) < h1 - _ROOM and abs(p2 + found * v2) < h2 - _ROOM
    return found if inside and found >= 0 else -1.0


@inlined
def _box(size, p, v, far):
    x = size[0], p[0], v[0]
    y = size[1], p[1], v[1]
    z = size[2], p[2], v[2]
    near, far, face = _between(x, 1, 0.0, far + _ROOM, 0)
    near, far, face = _between(y, 2, near, far, face)
    near, far, face = _between(z, 3, near, far, face)
    if near > far:
        return -1.0, 0
    found = -1.0
    if abs(face) == 1:
        found = _enters(x, y, z, face)
    elif abs(face) == 2:
        found = _enters(y, x, z, face)
    elif abs(face) == 3:
        found = _enters(z, x, y, face)
    if found >= 0:  # away from all edges, rounding cannot make another face the nearest
        return found, face
    best, face = _slab(x, y, z, 1, -1.0, 0)
    best, face = _slab(y, x, z, 2, best, face)
    return _slab(z, x, y, 3, best, face)


@inlined
def _turned(geoms, g, x, y, z):
    """A vector of the world in the frame of geom g."""
    return (
        geoms[g, 3] * x + geoms[g, 6] * y + geoms[g, 9] * z,
        geoms[g, 4] * x + geoms[g, 7] * y + geoms[g, 10] * z,
        geoms[g, 5] * x + geoms[g, 8] * y + geoms[g, 11] * z,
    )


@inlined
def _meet(seen, k, ray, far):
    """How far geom k of those seen is along a ray, and by which face it is met; -1 or more than
    ``far`` where it is not before ``far``."""
    vx, vy, vz = ray
    a = vx * vx + vy * vy + vz * vz
    b = vx * seen[k, 0] + vy * seen[k, 1] + vz * seen[k, 2]
    c = seen[k, BALL]
    square = b * b - a * c
    if square < _LEAST or (b > 0 and c > 0) or -b - math.sqrt(square) > (far + _ROOM) * a:
        return -1.0, 0
    kind = seen[k, KIND]
    if kind == SPHERE:
        return _root(a, b, c), 0
    p = seen[k, _EYE], seen[k, _EYE + 1], seen[k, _EYE + 2]
    v = _turned(seen, k, vx, vy, vz)
    size = seen[k, SIZE], seen[k, SIZE + 1], seen[k, SIZE + 2]
    if kind == BOX:
        return _box(size, p, v, far)
    if kind == CAPSULE:
        return _capsule(size, p, v)
    if kind == CYLINDER:
        return _cylinder(size, p, v)
    return _ellipsoid(size, p, v), 0


@inlined
def _see(geoms, asked, origin, seen):
    """Put what all rays from one origin share into rows of ``seen``, a geom each.

    Such a row is the geom's; but its place is the way from there to the origin, its squared radius
    is taken from this way's square, and behind it are the origin in the geom's frame, the length of
    the tangent at the sphere that holds the geom, and how far this sphere is."""
    for k in range(len(asked)):
        g = asked[k]
        for column in range(TURN, COLUMNS):
            seen[k, column] = geoms[g, column]
        x = origin[0] - geoms[g, 0]
        y = origin[1] - geoms[g, 1]
        z = origin[2] - geoms[g, 2]
        square = x * x + y * y + z * z
        seen[k, 0], seen[k, 1], seen[k, 2] = x, y, z
        seen[k, BALL] = square - geoms[g, BALL]
        seen[k, _EYE], seen[k, _EYE + 1], seen[k, _EYE + 2] = _turned(geoms, g, x, y, z)
        reach = geoms[g, REACH]
        seen[k, _NEAR] = math.sqrt(square) - reach
        square -= reach * reach
        seen[k, _TANGENT] = math.sqrt(square) if square > 0 else -np.inf


@inlined
def _narrow(seen, rays, packet, far, some):
    """Put the seen geoms that a packet of rays may meet into ``some``; returns how many they are.

    packet: its first ray, and the one after its last."""
    start, stop = packet
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
    for k in range(len(seen)):
        # A cone and a sphere, whose angles from the ray's start are a and b, overlap where the
        # cosine of the angle between them is at least cos(a + b).
        along = -(seen[k, 0] * x + seen[k, 1] * y + seen[k, 2] * z)
        least = cosine * seen[k, _TANGENT] - sine * seen[k, REACH] - _ROOM
        if seen[k, _NEAR] <= far and (along >= least or cosine < _WIDE):
            some[count] = k
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
    seen = np.empty((len(asked), _SEEN))
    some = np.empty(len(asked), np.uintp)  # unsigned: no test for negative ones
    _see(geoms, asked, origin, seen)
    for start in range(0, len(rays), _PACKET):
        stop = min(start + _PACKET, len(rays))
        count = _narrow(seen, rays, (start, stop), np.inf, some)
        for i in range(start, stop):
            ray = rays[i, 0], rays[i, 1], rays[i, 2]
            best = np.inf
            first = -1
            entered = 0
            for k in range(count):
                found, side = _meet(seen, some[k], ray, best)
                if found >= 0 and found < best:
                    best = found
                    first = asked[some[k]]
                    entered = side
            geom[i] = first
            distance[i] = best
            face[i] = entered


@inlined
def _is_hidden(seen, some, ray, far, above):
    """Whether some geoms lie between a lamp and a point, which may be above the floor."""
    for k in some:
        if not (above and seen[k, LOW]):
            found, _ = _meet(seen, k, ray, far)
            if found >= 0 and found <= far:
                return True
    return False


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
    seen = np.empty((len(asked), _SEEN))
    some = np.empty(len(asked), np.uintp)  # unsigned: no test for negative ones
    rays = np.empty((_PACKET, 3))
    far = np.empty(_PACKET)
    last = -1
    start = 0
    while start < len(points):
        own = lamp[start]
        shines = lamps[own, 0], lamps[own, 1], lamps[own, 2]
        if own != last:
            _see(geoms, asked, shines, seen)
            last = own
        size = 0
        most = 0.0
        while start + size < len(points) and size < _PACKET and lamp[start + size] == own:
            x = points[start + size, 0] - shines[0]
            y = points[start + size, 1] - shines[1]
            z = points[start + size, 2] - shines[2]
            length = math.sqrt(x * x + y * y + z * z)
            rays[size, 0] = x / length
            rays[size, 1] = y / length
            rays[size, 2] = z / length
            far[size] = length - SURFACE
            most = max(most, length)
            size += 1
        count = _narrow(seen, rays, (0, size), most, some)
        for i in range(size):
            above = points[start + i, 2] >= _LEVEL
            ray = rays[i, 0], rays[i, 1], rays[i, 2]
            hidden[start + i] = _is_hidden(seen, some[:count], ray, far[i], above)
        start += size
