"""The things in the bin: compound primitives of a training pool and of a disjoint novel pool.

No *kind* of shape is in both pools. Object ``seen/7`` is the same thing in every episode.
"""

from __future__ import annotations

from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.materials import Material
from pixelpush.datasets.sim.novel_kinds import NOVEL_KINDS
from pixelpush.datasets.sim.primitives import Part
from pixelpush.datasets.sim.rotations import IDENTITY
from pixelpush.datasets.sim.seen_kinds import SEEN_KINDS

DENSITY = 300.0  # kg/m3: hollow plastic, wood
POOL_SIZES = {"seen": 60, "novel": 32}


def object_kind(pool: str, index: int) -> str:
    """The name of the shape of object ``index`` of a pool ("seen" or "novel").

    >>> set(SEEN_KINDS) & {object_kind("novel", index) for index in range(100)}  # none is in both
    set()
    """
    kinds = list(SEEN_KINDS if pool == "seen" else NOVEL_KINDS)
    return kinds[index % len(kinds)]


def object_parts(pool: str, index: int) -> list[Part]:
    """The primitives of object ``index`` of a pool, to scale, always the same.

    >>> [part.size for part in object_parts("seen", 7)] == [
    ...     part.size for part in object_parts("seen", 7)
    ... ]
    True
    """
    draw = Draw("object", pool, index)
    kinds = SEEN_KINDS if pool == "seen" else NOVEL_KINDS
    scale = draw.uniform(0.98, 1.38)
    return [part.scaled(scale) for part in kinds[object_kind(pool, index)](draw)]


def add_object(body: mujoco.MjsBody, parts: list[Part], name: str) -> list[tuple[str, Material]]:
    """Give ``body`` the parts as colliding geoms; returns the material of each by geom name.

    >>> spec = mujoco.MjSpec()
    >>> from pixelpush.datasets.sim.primitives import BALL
    >>> ball = Part(BALL, [0.02], Material((0.8, 0.2, 0.2)))
    >>> made = add_object(spec.worldbody.add_body(), [ball, ball], "object0")
    >>> [name for name, _ in made], spec.compile().ngeom
    (['object0/0', 'object0/1'], 2)
    """
    made = []
    for number, part in enumerate(parts):
        geom = f"{name}/{number}"
        body.add_geom(
            name=geom,
            type=part.type,
            # MuJoCo takes three sizes of every type, and ignores those that a type has not.
            size=[*part.size, 0.0, 0.0][:3],
            pos=list(part.position),
            quat=list(IDENTITY if part.rotation is None else part.rotation),
            density=DENSITY,
            # Sliding, torsional and rolling friction; condim 4 uses the first two.
            friction=[0.7, 0.01, 0.0005],
            condim=4,
            contype=1,
            conaffinity=3,
        )
        made.append((geom, part.material))
    return made
