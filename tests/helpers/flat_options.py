"""Build and change nested options by their flat names, as the command line does."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")


def nested(cls: type) -> dict[str, type]:
    """The fields of a dataclass that are dataclasses themselves, with their classes."""
    hints = get_type_hints(cls)
    return {
        field.name: hints[field.name] for field in fields(cls) if is_dataclass(hints[field.name])
    }


def build(cls: type[Options], **values: Any) -> Options:
    """An options object from flat names; a name that no field has is a TypeError."""
    taken = _take(cls, values)
    if values:
        raise TypeError(f"{cls.__name__} has no option {sorted(values)}")
    return taken


def _take(cls: Any, values: dict[str, Any]) -> Any:
    inner = nested(cls)
    own = {f.name: values.pop(f.name) for f in fields(cls) if f.name in values}
    parts = {name: _take(part, values) for name, part in inner.items() if name not in own}
    return cls(**own, **parts)


def change(options: Options, **values: Any) -> Options:
    """The options with some flat names replaced; a name that no field has is a TypeError."""
    for name, value in values.items():
        options = _changed(options, name, value)
    return options


def _changed(options: Any, name: str, value: Any) -> Any:
    if name in {field.name for field in fields(options)}:
        return replace(options, **{name: value})
    for part in nested(type(options)):
        try:
            return replace(options, **{part: _changed(getattr(options, part), name, value)})
        except TypeError:
            continue
    raise TypeError(f"{type(options).__name__} has no option {name}")
