"""Building, saving and loading video models."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pixelpush.errors import InputError
from pixelpush.files import atomic_folder
from pixelpush.saved import SavedModel, find_saved, save_model_files
from pixelpush.vpn.model import VideoPixelNetwork
from pixelpush.vpn.presets import video_config


def build_model(name: str, **overrides: Any) -> VideoPixelNetwork:
    """A new model by preset or kind: ``build_model("ot", frame_size=64, state_dim=5, action_dim=5,
    channels=32)``.

    Settings are those of ``VideoConfig``; an unknown name or setting raises InputError.
    """
    return VideoPixelNetwork(video_config(name, **overrides))


def save_model(model: VideoPixelNetwork, folder: str | Path) -> None:
    """Write the model as a folder that ``load_model`` reads; the folder must not exist."""
    with atomic_folder(folder) as partial:
        save_model_files(partial, "video", asdict(model.config), model.state_dict())


def load_model(name_or_path: str | Path, device: str | torch.device = "cpu") -> VideoPixelNetwork:
    """Load a shipped model by name, a run folder's best save, or a saved folder; ready to evaluate.

    Loading executes no code from the file. Raises InputError where it is missing, damaged or of
    another kind."""
    saved = find_saved(name_or_path)
    if saved.family != "video":
        raise InputError(
            f"{saved.folder}: this is a model of the family '{saved.family}', not a video model."
        )
    return saved.restore(lambda: _rebuild(saved)).to(device).eval()


def _rebuild(saved: SavedModel) -> VideoPixelNetwork:
    try:
        return build_model(str(saved.config.get("kind")), **saved.config)
    except (TypeError, InputError) as error:
        raise InputError(
            f"{saved.folder}/model.json: the configuration is damaged ({error})."
        ) from None
