"""Captions from a small grammar: kinds, colours, places and the floor, in several wordings.

    a red mug to the left of a yellow banana on green felt

Places are those in the image: of two objects the one whose mean place differs more across than
along is to the left or to the right, otherwise the lower one is in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixelpush.datasets.objects.names import ALL_FLOORS, COLOURS, KINDS

_WORDS = {"stairs": "staircase"}  # kinds whose name is not a singular noun
_ASIDE = 0.12  # a single object is on a side from this far off the middle, as a share of the image


@dataclass(frozen=True)
class Named:
    """An object as captions see it. x, y: its mean place as shares of the image, y downwards.

    >>> Named(kind=4, colour=0, x=0.2, y=0.5).words
    'a red mug'
    """

    kind: int
    colour: int
    x: float
    y: float

    @property
    def words(self) -> str:
        """The object with its article.

        >>> Named(4, 0, 0.5, 0.5).words, Named(9, 1, 0.5, 0.5).words
        ('a red mug', 'an orange banana')
        """
        colour = COLOURS[self.colour]
        kind = KINDS[self.kind]
        return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {_WORDS.get(kind, kind)}"


def relation(one: Named, other: Named) -> str:
    """Where ``one`` is, seen from ``other``.

    >>> relation(Named(0, 0, 0.2, 0.5), Named(1, 1, 0.8, 0.4))
    'to the left of'
    """
    across, along = one.x - other.x, one.y - other.y
    if abs(across) >= abs(along):
        return "to the left of" if across < 0 else "to the right of"
    return "in front of" if along > 0 else "behind"


def place(one: Named) -> str:
    """Where a single object is in the image.

    >>> place(Named(0, 0, 0.2, 0.5)), place(Named(0, 0, 0.5, 0.55))
    ('on the left', 'in the middle')
    """
    across, along = one.x - 0.5, one.y - 0.5
    if max(abs(across), abs(along)) < _ASIDE:
        return "in the middle"
    if abs(across) >= abs(along):
        return "on the left" if across < 0 else "on the right"
    return "at the front" if along > 0 else "at the back"


def captions(objects: Sequence[Named], floor: int) -> tuple[str, ...]:
    """The wordings for an image, the fullest first; the first object is the main one.

    >>> captions([Named(4, 0, 0.2, 0.5), Named(9, 2, 0.8, 0.5)], 1)[0]
    'a red mug to the left of a yellow banana on green felt'
    """
    ground = ALL_FLOORS[floor]
    first = objects[0]
    if len(objects) == 1:
        return (
            f"{first.words} {place(first)} on {ground}",
            f"{ground} with {first.words} {place(first)}",
            f"there is {first.words} on {ground}, {place(first)}",
            f"{first.words} on {ground}",
        )
    second = objects[1]
    pair = f"{first.words} {relation(first, second)} {second.words}"
    back = f"{second.words} {relation(second, first)} {first.words}"
    rest = [f"{other.words} {relation(other, first)} it" for other in objects[2:]]
    more = f", with {' and '.join(rest)}" if rest else ""
    also = f" and {' and '.join(other.words for other in objects[2:])}" if rest else ""
    return (
        f"{pair} on {ground}" + more,
        f"on {ground}, {pair}" + more,
        f"{back}{also} on {ground}",
        f"{' and '.join(each.words for each in objects)} on {ground}",
    )
