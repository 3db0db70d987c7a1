"""The words of ``sim-objects``: kinds, colours, floors, parts, splits. Light: no MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.errors import InputError

NAME = "sim-objects"
SPLITS = ("train", "val", "test-seen", "test-novel")
SIZES = (32, 64, 128, 256)
MOST_OBJECTS = 4

SEEN = (
    "block",
    "can",
    "ball",
    "hammer",
    "mug",
    "bone",
    "stapler",
    "brush",
    "duck",
    "banana",
    "screwdriver",
    "letter",
)
NOVEL = ("jack", "ring", "bottle", "car", "stairs", "arch", "mushroom", "chair")
KINDS = SEEN + NOVEL
"""The classes, in order: the training pool's kinds, then the novel pool's."""

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")

PARTS = (
    "centre",
    "top",
    "base",
    "handle",
    "tip",
    "head",
    "tail",
    "beak",
    "rim",
    "front",
    "back",
    "bristles",
    "cap",
    "wheel",
    "leg",
)
"""The parts, in the order of the keypoint maps; a kind has two to four of them."""

FLOORS = (
    "grey felt",
    "green felt",
    "blue felt",
    "brown card",
    "grey concrete",
    "white plastic",
    "oak planks",
    "walnut planks",
)
HELD_OUT_FLOORS = ("grey planks", "brown felt")
"""Floors of test-seen: every word of their names is heard in training."""

ALL_FLOORS = FLOORS + HELD_OUT_FLOORS


def held_out_pair(kind: int, colour: int) -> bool:
    """Whether training never shows this kind in this colour.

    Two of eight colours of every kind are held out, so that each colour is seen on nine kinds.

    >>> [sum(held_out_pair(kind, colour) for colour in range(8)) for kind in range(3)]
    [2, 2, 2]
    """
    return (kind + colour) % 4 == 3


@dataclass(frozen=True)
class ObjectsName:
    """What ``sim-objects`` and its sisters ask for.

    structure: which maps an image has: "all", "parts" or "masks". train: images of train, None for
    all that are prepared.

    >>> ObjectsName(structure="parts", train=None) == parse_name("sim-objects-parts")
    True
    """

    structure: str
    train: int | None


_STRUCTURES = {NAME: "all", f"{NAME}-parts": "parts", f"{NAME}-masks": "masks"}


def is_objects(name: str) -> bool:
    """Whether this names ``sim-objects`` or one of its sisters.

    >>> is_objects("sim-objects-parts:1000"), is_objects("sim")
    (True, False)
    """
    return name.partition(":")[0] in _STRUCTURES


def parse_name(name: str) -> ObjectsName:
    """What a name like ``sim-objects-masks:1000`` asks for.

    Raises InputError where what follows the colon is no number.

    >>> parse_name("sim-objects:1000")
    ObjectsName(structure='all', train=1000)
    """
    base, colon, count = name.partition(":")
    if colon and not (count.isascii() and count.isdecimal() and int(count)):
        raise InputError(
            f"image set {name!r}: after '{base}:' comes the number of training images, as in "
            f"{base}:1000."
        )
    return ObjectsName(_STRUCTURES[base], int(count) if colon else None)


def check_request(split: str, size: int, images: int = 1) -> None:
    """Refuse with an InputError a split, size or number of images that the set does not have.

    >>> check_request("train", 100)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim-objects: images are 32, 64, 128, 256 pixels high and ...
    """
    if split not in SPLITS:
        raise InputError(f"{NAME}: no split {split!r}; it has {', '.join(SPLITS)}.")
    if size not in SIZES:
        raise InputError(
            f"{NAME}: images are {', '.join(map(str, SIZES))} pixels high and wide, not {size}."
        )
    if not 1 <= images <= 10_000_000:
        raise InputError(f"{NAME}/{split}: images must be 1 to 10000000, not {images}.")
