"""A run's best save as a folder to share: weights, configuration, card with the Hub's header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.eval.model_card import card_text, data_name, final_figures, with_header
from pixelpush.files import atomic_folder, read_json, write_json
from pixelpush.saved import WEIGHTS, find_saved, save_model_files

# The parts of a run's config.json that are shared: the training's protocol, data and versions.
KEPT = ("preset", "data", "train", "task", "versions")


def export_model(
    model: str,
    to: Path,
    card: Path | None = None,
    half: bool = False,
    largest_bytes: int | None = None,
) -> Path:
    """Write ``to``, a folder that ``load_model`` reads and the Hub shows; returns it.

    card: a Markdown file; None for a card made from the run's records. half: weights of two or more
    dimensions become float16, vectors stay float32. Raises InputError where ``to`` exists, the card
    is missing, or the weights exceed ``largest_bytes``.

    >>> export_model("push-ot-small", Path("mine"), card=Path("nowhere.md"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere.md: no such file; --card names a Markdown file.
    """
    if to.exists():
        raise InputError(f"{to}: exists; choose another folder, or remove it first.")
    if card is not None and not card.is_file():
        raise InputError(f"{card}: no such file; --card names a Markdown file.")
    saved = find_saved(model)
    state = load_file(saved.folder / WEIGHTS)
    if half:
        state = {name: _halved(value) for name, value in state.items()}
    size = sum(value.numel() * value.element_size() for value in state.values())
    if largest_bytes is not None and size > largest_bytes:
        raise InputError(
            f"{model}: {size / 1e6:.1f} MB of weights, at most {largest_bytes / 1e6:.0f} MB are "
            "wanted here; take a smaller model."
        )
    run, config = _run_of(saved.folder)
    figures = final_figures(run)
    text = card_text(to.name, saved, config, figures) if card is None else card.read_text()
    with atomic_folder(to) as partial:
        save_model_files(partial, saved.family, saved.config, state)
        if config:
            write_json(partial / "config.json", _shared(config))
        (partial / "README.md").write_text(with_header(text, to.name, saved, config, figures))
    return to


def _halved(value: Tensor) -> Tensor:
    return value.half() if value.ndim > 1 and value.is_floating_point() else value


def _run_of(save: Path) -> tuple[Path, Mapping[str, Any]]:
    """The run that a save belongs to, and its config.json; {} where there is none."""
    for folder in (save, save.parent.parent):
        if (folder / "config.json").is_file():
            return folder, read_json(folder / "config.json")
    return save, {}


def _shared(config: Mapping[str, Any]) -> dict[str, object]:
    """What is shared of config.json: no folder of the machine that it was made on."""
    kept = {key: config[key] for key in KEPT if key in config}
    if "data" in kept:
        kept["data"] = data_name(config)
    if "train" in kept:
        start = Path(kept["train"].get("start", "")).name
        kept["train"] = {**kept["train"], "start": start}
    return kept
