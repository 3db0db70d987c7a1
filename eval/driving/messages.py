"""The messages of a page, checked field by field, and the views that are sent to it."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.driving.session import View

MOST_BYTES = 4096  # of one message from a page
# Commands without further words.
PLAIN = ("back", "record", "stop", "look")
_HEAT_TOP = 12.0  # nats a pixel that the heat map's brightest level stands for


@dataclass(frozen=True)
class Hold:
    """What is held: (A,) in -1..1, all zero for nothing; or a target to go to, (A,).

    >>> Hold(np.zeros(5)).target is None
    True
    """

    held: np.ndarray
    target: np.ndarray | None = None


@dataclass(frozen=True)
class Reset:
    """Begin anew, at this episode or at the same one.

    >>> read_message('{"type": "reset", "episode": 3}', 5)
    Reset(split=None, episode=3)
    """

    split: str | None = None
    episode: int | None = None


@dataclass(frozen=True)
class Change:
    """Other settings of the sampling, those that are not None.

    >>> read_message('{"type": "set", "temperature": 0.5}', 5)
    Change(prediction=None, temperature=0.5, seed=None)
    """

    prediction: str | None = None
    temperature: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Plain:
    """'back', 'record', 'stop', or 'look' for the newest frame again.

    >>> read_message('{"type": "record"}', 5)
    Plain(name='record')
    """

    name: str


Message = Hold | Reset | Change | Plain


def read_message(text: str, width: int) -> Message:
    """Read one message of a page for actions of ``width`` numbers.

    Raises InputError, which says what is wrong with it.

    >>> read_message('{"type": "back"}', 5)
    Plain(name='back')
    >>> read_message('{"type": "hold", "held": [9]}', 1)
    Traceback (most recent call last):
    pixelpush.errors.InputError: message 'hold': held must be 1 number from -1 to 1.
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"a message of {len(text)} bytes; {MOST_BYTES} are allowed.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("a message that is not JSON.") from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InputError("a message without a type.")
    kind = found.pop("type")
    if kind in PLAIN:
        _only(kind, found)
        return Plain(kind)
    if kind == "hold":
        _only(kind, found, "held", "target")
        if found.get("target") is not None:
            target = _numbers(kind, "target", found["target"], width, 1e6)
            return Hold(np.zeros(width, np.float32), target)
        return Hold(_numbers(kind, "held", found.get("held"), width, 1))
    if kind == "reset":
        _only(kind, found, "split", "episode")
        return Reset(
            _word(kind, "split", found.get("split")), _whole(kind, "episode", found.get("episode"))
        )
    if kind == "set":
        _only(kind, found, "prediction", "temperature", "seed")
        temperature = found.get("temperature")
        if temperature is not None:
            temperature = float(_numbers(kind, "temperature", [temperature], 1, 10)[0])
        prediction = _word(kind, "prediction", found.get("prediction"))
        return Change(prediction, temperature, _whole(kind, "seed", found.get("seed")))
    raise InputError(f"unknown message {kind[:40]!r}.")


def pack_view(view: View) -> bytes:
    """A view as one binary message: length of the header (uint32, little-endian), header as JSON,
    frame (H, W, C), heat (H, W), and the real frame where there is one; all uint8.

    The heat's 255 stands for 12 nats a pixel and more.

    >>> black = np.zeros((3, 8, 8), np.uint8)
    >>> view = View(1, black, np.zeros((8, 8)), 0.5, np.zeros(5), np.zeros(5), step_seconds=0.1)
    >>> header, pixels = unpack_view(pack_view(view))
    >>> header["size"], len(pixels)
    ([3, 8, 8], 256)
    """
    heat = np.clip(view.heat / _HEAT_TOP * 255, 0, 255).astype(np.uint8)
    parts = [_interleaved(view.frame), heat.tobytes()]
    if view.real is not None:
        parts.append(_interleaved(view.real))
    header = {
        "number": view.number,
        "size": list(view.frame.shape),
        "real": view.real is not None,
        "nats": round(view.nats, 4),
        "command": [round(float(x), 5) for x in view.command],
        "state": [round(float(x), 5) for x in view.state],
        "step_seconds": round(view.step_seconds, 5),
        "distance": None if view.distance is None else round(view.distance, 3),
        "apart": None if view.apart is None else round(view.apart, 5),
        "recording": view.recording,
    }
    told = json.dumps(header).encode()
    return b"".join([struct.pack("<I", len(told)), told, *parts])


def unpack_view(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and pixels of a packed view.

    >>> black = np.zeros((3, 8, 8), np.uint8)
    >>> view = View(1, black, np.zeros((8, 8)), 0.5, np.zeros(5), np.zeros(5), step_seconds=0.1)
    >>> unpack_view(pack_view(view))[0]["nats"]
    0.5
    """
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def _interleaved(frame: np.ndarray) -> bytes:
    return np.ascontiguousarray(frame.transpose(1, 2, 0)).tobytes()


def _only(kind: str, found: dict[str, Any], *names: str) -> None:
    for name in found:
        if name not in names:
            raise InputError(f"message {kind!r}: unknown word {str(name)[:40]!r}.")


def _numbers(kind: str, name: str, value: Any, width: int, most: float) -> np.ndarray:
    plural = "" if width == 1 else "s"
    fits = isinstance(value, list) and len(value) == width
    # JSON's true is a number in Python.
    fits = fits and all(
        isinstance(x, int | float) and not isinstance(x, bool) and abs(x) <= most for x in value
    )
    if not fits or not all(math.isfinite(x) for x in value):
        raise InputError(
            f"message {kind!r}: {name} must be {width} number{plural} from {-most:g} to {most:g}."
        )
    return np.array(value, np.float32)


def _whole(kind: str, name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**53:
        raise InputError(f"message {kind!r}: {name} must be a whole number from 0.")
    return value


def _word(kind: str, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 64:
        raise InputError(f"message {kind!r}: {name} must be a short text.")
    return value
