"""Whether a save of a run is what was written: format, digests and checksum of progress.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError
from pixelpush.files import is_complete, read_json

# Of the saves that this version writes and reads.
FORMAT = 1


class DamagedSave(InputError):
    """A complete save whose contents are not what was written.

    >>> issubclass(DamagedSave, InputError)
    True
    """


def verify_save(save: Path) -> None:
    """Raise DamagedSave unless the save is whole and every file is what was written.

    Nothing is changed. Raises InputError for a format that this version does not know.

    >>> verify_save(Path("no-such-save"))
    Traceback (most recent call last):
        ...
    pixelpush.training.save_integrity.DamagedSave: no-such-save: half-written, without its marker.
    """
    if not is_complete(save):
        raise DamagedSave(f"{save}: half-written, without its marker.")
    progress = _sound_progress(save)
    digests = progress.get("sha256")
    needed = {"model.json", "model.safetensors", "optimizer.pt"}
    if not isinstance(digests, dict) or not needed <= digests.keys():
        raise DamagedSave(f"{save}: damaged (progress.json lacks the files' digests).")
    for name, digest in digests.items():
        file = save / Path(name).name
        if not file.is_file() or file_sha256(file) != digest:
            raise DamagedSave(f"{file}: missing or not what was written; the save is damaged.")
    if not isinstance(progress.get("examples"), int) or progress["examples"] != int(save.name):
        raise DamagedSave(f"{save}: damaged (progress.json counts other examples).")


def _sound_progress(save: Path) -> Mapping[str, Any]:
    """progress.json without its checksum, which is compared first."""
    try:
        progress = read_json(save / "progress.json")
    except InputError as error:
        raise DamagedSave(f"{save}: damaged ({error})") from None
    if not isinstance(progress, dict) or not isinstance(progress.get("format"), int):
        raise DamagedSave(f"{save}: damaged (progress.json has no format).")
    if progress["format"] != FORMAT:
        raise InputError(
            f"{save}: format {progress['format']} is not format {FORMAT}, which this version "
            "reads; continue this run with the version that wrote it."
        )
    if progress.pop("checksum", None) != progress_checksum(progress):
        raise DamagedSave(f"{save}: damaged (progress.json is not what was written).")
    return progress


def progress_checksum(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the values of progress.json.

    >>> progress_checksum({"a": 1, "b": 2}) == progress_checksum({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a").write_text("a")
    ...     file_sha256(Path(folder) / "a")[:8]
    'ca978112'
    """
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
