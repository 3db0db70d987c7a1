"""Damage to bytes: what a bad disk, a broken transfer or a hostile hand does."""

from __future__ import annotations

import numpy as np


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, cut, drop, double, splice or overwrite a part, one to three times.

    >>> damage(bytes(8), np.random.default_rng(0)) != bytes(8)
    True
    """
    out = bytearray(data)
    for _ in range(1 + int(rng.integers(3))):
        if not out:
            break
        a, b = sorted(int(i) for i in rng.integers(0, len(out) + 1, 2))
        short = slice(a, min(a + 1 + int(rng.integers(16)), len(out)))
        kind = int(rng.integers(7))
        if kind <= 1:
            out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del out[a:]
        elif kind == 3:
            del out[short]
        elif kind == 4:
            out[a:a] = out[short]
        elif kind == 5:
            out[a:b] = out[: b - a]
        else:
            out[short] = rng.bytes(short.stop - short.start)
    return bytes(out)


# What breaks readers of text: each takes the place of a value of a JSON file.
_VALUES = (
    *("null", "true", "-1", "0", "1e400", "NaN", "-Infinity", "1e308", "9" * 400, '""', '"x"'),
    *("[]", "{}", "[" * 3000 + "]" * 3000, '"../../x"', '"\\u0000"', "[[]]", "2.5"),
)


def damage_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace one value of a JSON text by one of another kind, or damage it as bytes.

    >>> damage_json(b'{"a": 1}', np.random.default_rng(0)) != b'{"a": 1}'
    True
    """
    places = [place for place in range(len(data)) if data[place : place + 1] in b":,"]
    if not places or rng.random() < 0.3:
        return damage(data, rng)
    start = places[int(rng.integers(len(places)))] + 1
    end = next((i for i in range(start, len(data)) if data[i : i + 1] in b",}]"), len(data))
    return data[:start] + _VALUES[int(rng.integers(len(_VALUES)))].encode() + data[end:]
