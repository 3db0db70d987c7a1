"""Names of classes and of keypoint maps, of the sets that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pixelpush.datasets.objects.names import KINDS, PARTS

_CLASSES: Mapping[str, Sequence[str]] = {
    "cifar10": (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    "mnist": tuple("0123456789"),
    "sim-objects": KINDS,
    "sim-objects-parts": KINDS,
    "sim-objects-masks": KINDS,
}
_PARTS: Mapping[str, Sequence[str]] = {"sim-objects": PARTS, "sim-objects-parts": PARTS}


def class_names(data: str) -> Sequence[str]:
    """The names of a set's classes, in order; () where they have none.

    >>> class_names("sim-objects:1000")[4], class_names("cifar10:folder")[9]
    ('mug', 'truck')
    """
    return _CLASSES.get(data.partition(":")[0], ())


def part_names(data: str) -> Sequence[str]:
    """The names of a set's keypoint maps, in order; () where they have none.

    >>> part_names("sim-objects")[3]
    'handle'
    """
    return _PARTS.get(data.partition(":")[0], ())
