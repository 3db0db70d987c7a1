"""The data root: the folder under which prepared stores lie."""

from __future__ import annotations

import os
from pathlib import Path

from pixelpush.files import expanded


def data_root() -> Path:
    """Where prepared stores lie unless told otherwise: $PIXELPUSH_DATA, else ~/.cache/pixelpush.

    >>> (data_root() / "bair").name
    'bair'
    """
    return expanded(os.environ.get("PIXELPUSH_DATA") or "~/.cache/pixelpush")
