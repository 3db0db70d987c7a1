"""Which fields of a dataclass does code read?"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest


@contextmanager
def reads_of(cls: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The fields of ``cls`` that code reads; checks, copies and JSON of the whole do not count."""
    names = {field.name for field in dataclasses.fields(cls)}
    found: set[str] = set()

    def read(self: Any, name: str) -> Any:
        if name in names:
            frame = sys._getframe(1)
            code = frame.f_code
            copied = frame.f_globals.get("__name__") == "dataclasses"
            if not copied and code.co_name not in ("__post_init__", "_positive", "_not_negative"):
                found.add(name)
        return object.__getattribute__(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(cls, "__getattribute__", read, raising=False)
        yield found


@contextmanager
def all_reads_of(
    classes: Sequence[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[Any, set[str]]]:
    """The fields that code reads of several classes at once, by the class."""
    with ExitStack() as stack:
        yield {cls: stack.enter_context(reads_of(cls, monkeypatch)) for cls in classes}


def fields_of(classes: Sequence[Any]) -> dict[Any, set[str]]:
    return {cls: field_names(cls) for cls in classes}


def field_names(cls: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(cls)}
