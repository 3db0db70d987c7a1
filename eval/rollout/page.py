"""One self-contained HTML page of all rollouts in a folder: players, a frame slider, the truth
beside the samples, heat maps, nats over time. No other file and no network is needed to view it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from pixelpush.errors import InputError
from pixelpush.eval.rollout.drawing import enlarge, heat_map
from pixelpush.eval.rollout.video import heat_scale
from pixelpush.files import atomic_file

NAME = "index.html"
_SHEET_COLUMNS = 16  # frames in a row of a picture sheet: wider ones exceed what browsers draw
_BLANK = 242


def write_page(folder: Path, entries: Sequence[Mapping[str, Any]], frames_per_second: int) -> None:
    """Write ``folder/index.html`` from the arrays of the entries of rollout.json.

    Raises InputError where an entry's arrays are missing or damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(Path(folder), [], frames_per_second=5)
    ...     "PixelPush: 0 rollouts" in (Path(folder) / NAME).read_text()
    True
    """
    rollouts = [_rollout(folder, entry) for entry in entries]
    page = Template(_PAGE.read_text()).substitute(
        title=f"PixelPush: {len(rollouts)} rollout{'s' * (len(rollouts) != 1)}",
        speed=frames_per_second,
        # "</" could end the script that holds the data.
        rollouts=json.dumps(rollouts).replace("</", "<\\/"),
    )
    with atomic_file(folder / NAME) as partial:
        partial.write_text(page)


_PAGE = Path(__file__).with_name("page.html")


def _rollout(folder: Path, entry: Mapping[str, Any]) -> dict[str, object]:
    """What the page shows of one entry, as JSON values."""
    arrays = _read_arrays(folder / str(entry["files"]["npz"]))
    heat_name = "surprise" if "surprise" in arrays else "uncertainty"
    heat = arrays[heat_name]
    given = arrays["given"]
    context = len(given)
    frames = context + arrays["samples"].shape[1]
    low, high = heat_scale(heat)
    colours = [heat_map(values, low, high) for values in heat]
    grey = [np.full_like(colours[0], _BLANK)] * context
    films = {**_pictures(arrays), heat_name: [*grey, *colours]}
    nats = heat.astype(np.float64).mean(axis=(1, 2)) / given.shape[1]
    name = f"episode {entry['episode']}" if "episode" in entry else "folder"
    return {
        "title": f"{name}: {entry['id']}",
        "about": _about(entry),
        "context": context,
        "frames": frames,
        "width": given.shape[3],
        "height": given.shape[2],
        "columns": _SHEET_COLUMNS,
        "films": [
            {"name": name, "frames": len(pictures), "sheet": _sheet(pictures)}
            for name, pictures in films.items()
        ],
        "heat": heat_name,
        "range": [low, high],
        "nats": [round(float(value), 5) for value in nats],
        "actions": np.round(arrays["actions"][: frames - 1].astype(float), 4).tolist(),
        "files": dict(entry["files"]),
    }


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a rollout; those that the page needs are there."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); make this rollout again.") from None
    for name in ("given", "samples", "actions"):
        if name not in arrays:
            raise InputError(f"{path}: has no {name!r}; make this rollout again.")
    if not {"surprise", "uncertainty"} & set(arrays):
        raise InputError(f"{path}: has no 'surprise'; make this rollout again.")
    return arrays


def _pictures(arrays: Mapping[str, np.ndarray]) -> dict[str, list[np.ndarray]]:
    """The frames of the truth, or of the context alone, and of every sample."""
    given = arrays["given"]
    truth = arrays.get("truth", given[:0])
    films = {"truth" if len(truth) else "context": [*given, *truth]}
    for number, sample in enumerate(arrays["samples"], 1):
        films[f"sample {number}"] = [*given, *sample]
    return films


def _about(entry: Mapping[str, Any]) -> str:
    """Model, data and settings of a rollout, in one line."""
    settings = entry.get("settings", {})
    about = {
        "model": Path(str(entry.get("model", ""))).name,
        "data": entry.get("data", entry.get("folder", "")),
        "split": entry.get("split", ""),
        **{name: settings.get(name) for name in ("temperature", "seed", "states")},
    }
    words = [f"{name} {value}" for name, value in about.items() if value not in ("", None)]
    if entry.get("actions_sha256"):
        words.append("actions of a file")
    return "  ·  ".join(words)


def _sheet(pictures: Sequence[np.ndarray]) -> str:
    """Frames uint8 (C, H, W) in rows of ``_SHEET_COLUMNS``, as the data URL of a PNG."""
    tiles = [enlarge(picture, 1) for picture in pictures]
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // _SHEET_COLUMNS)
    sheet = np.full((rows * height, _SHEET_COLUMNS * width, 3), _BLANK, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _SHEET_COLUMNS)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
