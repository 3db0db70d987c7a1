"""The names under which the simulated bin is asked for, and how many episodes they mean.

Light: nothing is imported."""

from __future__ import annotations

from pixelpush.errors import InputError

# Three laboratories of one simulator: ten like stations; ten different robots; like stations, but
# every training episode with a camera of its own. stations.py builds them.
LABORATORIES = ("sim", "sim-diverse", "sim-cameras")
SOURCE = "simulated bin"  # what the metadata of its stores say
SPLITS = ("train", "val", "test-seen", "test-novel")


def is_simulated(name: str) -> bool:
    """Whether this names the simulated bin, whose frames can be had at any of its sizes.

    >>> is_simulated("sim:1000"), is_simulated("sim-cameras"), is_simulated("bair")
    (True, True, False)
    """
    return name.partition(":")[0] in LABORATORIES


def parse_name(name: str) -> tuple[str, int | None]:
    """The laboratory and the number of training episodes of a data set's name.

    Raises InputError where what follows the colon is no number, or the laboratory is unknown.

    >>> parse_name("sim-diverse:1000"), parse_name("sim")
    (('sim-diverse', 1000), ('sim', None))
    """
    laboratory, colon, count = name.partition(":")
    check_laboratory(laboratory)
    if not colon:
        return laboratory, None
    if not (count.isascii() and count.isdecimal()):
        raise InputError(
            f"dataset {name!r}: after '{laboratory}:' comes the number of training episodes, as in "
            f"{laboratory}:1000."
        )
    return laboratory, int(count)


def check_laboratory(laboratory: str) -> None:
    """Refuse with an InputError a name that is none of LABORATORIES.

    >>> check_laboratory("simple")
    Traceback (most recent call last):
    pixelpush.errors.InputError: no simulated laboratory 'simple'; there are sim, sim-diverse, ...
    """
    if laboratory not in LABORATORIES:
        raise InputError(
            f"no simulated laboratory {laboratory!r}; there are {', '.join(LABORATORIES)}."
        )


def check_split(split: str) -> None:
    """Refuse with an InputError a name that is none of SPLITS.

    >>> check_split("test")
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: no split 'test'; it has train, val, test-seen, test-novel.
    """
    if split not in SPLITS:
        raise InputError(f"sim: no split {split!r}; it has {', '.join(SPLITS)}.")


def default_others(training: int) -> int:
    """Episodes of val, test-seen and test-novel each, beside this many of train.

    A tenth, at least 16, at most 256.

    >>> default_others(60), default_others(1000), default_others(5000)
    (16, 100, 256)
    """
    return min(256, max(16, training // 10))
