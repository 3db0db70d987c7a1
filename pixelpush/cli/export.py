"""The command ``pixelpush export``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class ExportOptions:
    """Options of ``pixelpush export``.

    Example:
        >>> ExportOptions("runs/small", to=Path("share")).half
        False
    """

    model: tyro.conf.Positional[str]
    """Run folder (its best save) or saved model."""
    to: Path
    """Folder to make: weights, configuration and a model card."""
    card: Path | None = None
    """Markdown file with the card's text. Left out: a text made from the run's records."""
    half: bool = False
    """Store weights in half precision: half the size."""


def export(options: ExportOptions) -> None:
    """A model as a folder to share, with a card that the Hugging Face Hub reads.

    Example:
        >>> export(ExportOptions("nowhere", to=Path("share")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a ...
    """
    from pixelpush.eval.export import export_model

    folder = export_model(options.model, options.to, options.card, options.half)
    print(f"{folder}: load_model({str(folder)!r}) reads it; 'hf upload OWNER/NAME {folder}' shares")
    print(f"it, and load_model('hf://OWNER/NAME') reads it from there. Look at {folder}/README.md")
    print("first.")
