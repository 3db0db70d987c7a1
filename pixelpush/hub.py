"""Saved models on the Hugging Face Hub: ``hf://owner/name``, or ``hf://owner/name@revision``.

Only the files of a saved model are fetched, into the Hub's own cache, and no code is among them.
``HF_HUB_OFFLINE=1`` uses what is there."""

from __future__ import annotations

import re
from pathlib import Path

from pixelpush.errors import InputError

PREFIX = "hf://"
FILES = ("model.json", "model.safetensors", "config.json", "README.md")
_NAME = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def is_on_hub(name: str) -> bool:
    """Whether a model's name is an address on the Hub.

    >>> is_on_hub("hf://owner/name"), is_on_hub("runs/small")
    (True, False)
    """
    return name.startswith(PREFIX)


def fetch(name: str) -> Path:
    """Return the folder of a model on the Hub, fetched where it is not in the cache.

    Raises InputError for a malformed name, a model that is not there, no network, and where the
    extra ``hub`` is not installed.

    >>> fetch("hf://nameless")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: hf://nameless: a model on the Hub is hf://owner/name ...
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise InputError(
            f"{name}: a model on the Hub is hf://owner/name or hf://owner/name@revision."
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise InputError(
            f"{name}: models on the Hub need the package huggingface_hub: "
            "pip install 'pixelpush[hub]'."
        ) from None
    repository, revision = found.groups()
    try:
        folder = snapshot_download(repository, revision=revision, allow_patterns=list(FILES))
    except LocalEntryNotFoundError:
        raise InputError(
            f"{name}: not in the Hub's cache, and the Hub cannot be reached; check the network, or "
            "HF_HUB_OFFLINE."
        ) from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{name}: the Hub refused it ({reason}); check the name, or run "
            "'hf auth login' where it is private."
        ) from None
    return Path(folder)
