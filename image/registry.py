"""Building, saving and loading image models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pixelpush.errors import InputError
from pixelpush.files import atomic_folder
from pixelpush.image.config import (
    GatedPixelCNNConfig,
    ImageConfig,
    MultiscalePixelCNNConfig,
    MultiscalePixelRNNConfig,
    PixelCNNConfig,
    PixelCNNPPConfig,
    PixelRNNConfig,
)
from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.model import ImageModel, RasterModel
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN
from pixelpush.image.multiscale_pixelrnn import MultiscalePixelRNN
from pixelpush.image.pixelcnn import PixelCNNTrunk
from pixelpush.image.pixelcnn_pp import PixelCNNPPTrunk
from pixelpush.image.pixelrnn import PixelRNNTrunk
from pixelpush.image.presets import image_config
from pixelpush.saved import SavedModel, find_saved, save_model_files


def _pixelcnn(c: PixelCNNConfig) -> ImageModel:
    return RasterModel(
        c,
        lambda d: PixelCNNTrunk(
            c.colours, c.channels, c.layers, c.hidden, c.kernel, d, c.first_kernel
        ),
    )


def _gated(c: GatedPixelCNNConfig) -> ImageModel:
    return RasterModel(
        c,
        lambda d: GatedPixelCNNTrunk(c.colours, c.channels, c.layers, c.kernel, d, c.first_kernel),
    )


def _plusplus(c: PixelCNNPPConfig) -> ImageModel:
    return RasterModel(
        c, lambda d: PixelCNNPPTrunk(c.colours, c.filters, c.resnets, c.scales, c.dropout, d)
    )


def _rnn(c: PixelRNNConfig) -> ImageModel:
    recurrence = "row" if c.kind == "row-lstm" else "diagonal"
    sizes = (c.colours, c.channels, c.layers, c.hidden)
    return RasterModel(
        c, lambda d: PixelRNNTrunk(recurrence, *sizes, d, c.residual, c.first_kernel)
    )


BUILDERS: dict[type[ImageConfig], Callable[[Any], ImageModel]] = {
    PixelCNNConfig: _pixelcnn,
    GatedPixelCNNConfig: _gated,
    PixelCNNPPConfig: _plusplus,
    PixelRNNConfig: _rnn,
    MultiscalePixelRNNConfig: MultiscalePixelRNN,
    MultiscalePixelCNNConfig: MultiscalePixelCNN,
}


def build_image_model(name: str, **overrides: Any) -> ImageModel:
    """A new image model by kind or preset: ``build_image_model("pixelcnn++", image_size=32,
    filters=64)``.

    Settings are those of the kind's configuration (``pixelpush.image.config``); an unknown one
    raises InputError."""
    config = image_config(name, **overrides)
    return BUILDERS[type(config)](config)


def save_image_model(model: ImageModel, folder: str | Path) -> None:
    """Write the model as a folder that ``load_image_model`` reads; the folder must not exist."""
    with atomic_folder(folder) as partial:
        save_model_files(partial, "image", asdict(model.config), model.state_dict())


def load_image_model(name_or_path: str | Path, device: str | torch.device = "cpu") -> ImageModel:
    """Load a shipped model by name, a run folder's best save, or a saved folder; ready to evaluate.

    Raises InputError where it is missing, damaged or a video model.
    """
    saved = find_saved(name_or_path)
    if saved.family != "image":
        raise InputError(f"{saved.folder}: this is a {saved.family} model, not an image model.")
    return saved.restore(lambda: _rebuild(saved)).to(device).eval()


def _rebuild(saved: SavedModel) -> ImageModel:
    try:
        return build_image_model(str(saved.config.get("kind")), **saved.config)
    except TypeError as error:
        raise InputError(
            f"{saved.folder}/model.json: the configuration is damaged ({error})."
        ) from None
