"""Functions compiled by Numba. A module that imports this one is imported where frames are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pixelpush.errors import InputError

try:
    import numba
except ImportError:
    raise InputError(
        "the simulated bin needs Numba, which is not installed: pip install 'numba>=0.68.1'; what "
        "is prepared can be read without."
    ) from None

Function = TypeVar("Function", bound=Callable)


def compiled(function: Function) -> Function:
    """The function compiled at its first call, by IEEE's rules: no sum is reordered or fused.

    Machine code is kept beside the module, or in the user's cache where that is read-only; where
    neither can be written every process compiles anew. Numba looks at the module's own date only,
    so that a compiled function calls none of another module.

    >>> @compiled
    ... def half(x):
    ...     return x / 2
    >>> half(3.0)
    1.5
    """
    # Division by zero gives what NumPy gives, and costs no test.
    try:
        made: Any = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no place for a cache
        made = numba.njit(error_model="numpy")(function)
    return made


def inlined(function: Function) -> Function:
    """As ``compiled``, of a small function that becomes a part of those that call it.

    >>> @inlined
    ... def half(x):
    ...     return x / 2
    >>> half(3.0)
    1.5
    """
    made: Any = numba.njit(error_model="numpy", forceinline=True)(function)
    return made
