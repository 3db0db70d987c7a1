"""Names in the order people count: frame2 before frame10, 0.5 before 0.55."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

# Names that operating systems leave beside the user's own files.
JUNK = ("__macosx", "@eadir", "thumbs.db", "desktop.ini", "$recycle.bin", "lost+found")

_DECIMAL = re.compile(r"(?<![\d.])(\d+\.\d+)(?![\d.])")


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key in which runs of digits compare as numbers.

    >>> sorted(["frame_10", "frame_9"], key=natural_key)
    ['frame_9', 'frame_10']
    """
    parts = re.split(r"(\d+)", name)
    return tuple(
        (0, int(part)) if part.isdecimal() and part.isascii() else (1, part)
        for part in parts
        if part
    )


def decimal_number(name: str) -> tuple[str, float] | None:
    """(the name's other text, the one decimal number in its stem), None where it has none.

    >>> decimal_number("left_1700000000.15.png")
    ('left_#.png', 1700000000.15)
    """
    stem, dot, ending = name.rpartition(".")
    # 'frame_0.png' has no decimal number, '0.15' without an ending has one.
    if not dot or ending.isdigit():
        stem = name
        dot = ""
        ending = ""
    found = _DECIMAL.findall(stem)
    if len(found) != 1:
        return None
    return _DECIMAL.sub("#", stem) + dot + ending, float(found[0])


def decimal_times(names: Sequence[str]) -> dict[str, float] | None:
    """Each name's decimal number, where the names are one series that decimals tell apart.

    Python's str(time.time()) drops trailing zeros, so 5.0, 5.05 and 5.1 are to be compared as
    numbers, not digit by digit. A whole number among them counts where others have decimals.

    >>> decimal_times(["5.05.png", "5.1.png"])
    {'5.05.png': 5.05, '5.1.png': 5.1}
    """
    found = {name: decimal_number(name) for name in names}
    forms = {pair[0] for pair in found.values() if pair is not None}
    if len(forms) != 1:
        return None
    (form,) = forms
    before, after = form.split("#")
    times: dict[str, float] = {}
    for name, pair in found.items():
        if pair is not None:
            times[name] = pair[1]
            continue
        middle = name[len(before) : len(name) - len(after)]
        if f"{before}{middle}{after}" != name or not middle.isdigit():
            return None
        times[name] = float(middle)
    return times


def in_order(names: Sequence[str]) -> list[str]:
    """Names of one series in the order of their numbers, decimal ones by value.

    >>> in_order(["a10.png", "a9.png"])
    ['a9.png', 'a10.png']
    """
    times = decimal_times(names)
    if times is not None:
        return sorted(names, key=lambda name: (times[name], name))
    return sorted(names, key=natural_key)


def template(name: str) -> str:
    """The name with every number replaced by '#': files of one series share it.

    >>> template("camera1/frame_0012.png")
    'camera#/frame_#.png'
    """
    return re.sub(r"\d+(\.\d+)?", "#", name)


def is_junk(name: str) -> bool:
    """Whether a file or folder is ignored: hidden, or made by an operating system.

    >>> is_junk(".DS_Store"), is_junk("frame_0.png")
    (True, False)
    """
    return name.startswith((".", "._")) or name.lower() in JUNK


def missing_numbers(names: Sequence[str]) -> tuple[str, str] | None:
    """The two names around the first gap in the numbers of an ordered series; None without a gap.

    The usual step between neighbours is the series' own (1, or 10); numbers without a usual step,
    like times, have no gaps.

    >>> missing_numbers(["a1", "a2", "a4", "a5", "a6"])
    ('a2', 'a4')
    """
    numbers = [number for name in names if (number := _last_number(name)) is not None]
    if len(names) < 3 or len(numbers) < len(names):
        return None
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    usual = max(set(steps), key=steps.count)
    if usual <= 0 or steps.count(usual) * 2 < len(steps):
        return None
    for index, step in enumerate(steps):
        if step >= 2 * usual and step % usual == 0:
            return names[index], names[index + 1]
    return None


def _last_number(name: str) -> int | None:
    stem = name.rpartition(".")[0] or name
    found = re.findall(r"\d+", stem.rsplit("/", 1)[-1])
    return int(found[-1]) if found else None
