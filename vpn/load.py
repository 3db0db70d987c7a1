"""Building video models by name, and loading saved models of every family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.image.model import ImageModel
from pixelpush.image.registry import build_image_model
from pixelpush.registry import Registry
from pixelpush.saved import find_saved
from pixelpush.vpn.model import VideoPixelNetwork
from pixelpush.vpn.pose_reader import PoseReader, PoseReaderConfig
from pixelpush.vpn.presets import video_config
from pixelpush.vpn.super_resolution import VideoUpscaler, build_upscaler


def build_model(name: str, **overrides: Any) -> VideoPixelNetwork:
    """Return a new video model by preset or kind.

    overrides: settings of ``VideoConfig``. An unknown name or setting raises InputError.

    >>> build_model("ot", frame_size=64, state_dim=5, action_dim=5, channels=32).config.grid
    32
    """
    return VideoPixelNetwork(video_config(name, **overrides))


@dataclass(frozen=True)
class Family:
    """A family of models: what messages call it, and how its saved configuration is built.

    >>> FAMILIES.find("image").label
    'an image model'
    """

    label: str
    build: Callable[[Mapping[str, Any]], nn.Module]


FAMILIES: Registry[Family] = Registry(
    "family of models",
    {
        "video": Family("a video model", lambda c: build_model(str(c.get("kind")), **c)),
        "image": Family("an image model", lambda c: build_image_model(str(c.get("kind")), **c)),
        "pose": Family("a pose reader", lambda c: PoseReader(PoseReaderConfig(**c))),
        "upscaler": Family("a super-resolution model", lambda c: build_upscaler(**c)),
    },
)
Device = str | torch.device


@overload
def load_model(name_or_path: str | Path, device: Device = "cpu") -> Any: ...
@overload
def load_model(
    name_or_path: str | Path, device: Device = "cpu", *, family: Literal["video"]
) -> VideoPixelNetwork: ...
@overload
def load_model(
    name_or_path: str | Path, device: Device = "cpu", *, family: Literal["image"]
) -> ImageModel: ...
@overload
def load_model(
    name_or_path: str | Path, device: Device = "cpu", *, family: Literal["upscaler"]
) -> VideoUpscaler: ...
@overload
def load_model(
    name_or_path: str | Path, device: Device = "cpu", *, family: Literal["pose"]
) -> PoseReader: ...
def load_model(
    name_or_path: str | Path, device: Device = "cpu", *, family: str | None = None
) -> nn.Module:
    """Load a model of any family, ready to evaluate.

    name_or_path: a shipped model's name, a run folder (its best save), a saved folder, or
    ``hf://owner/name``, a model on the Hugging Face Hub (extra ``hub``). family: refuse every
    family but this one: 'video', 'image', 'upscaler' (super-resolution) or 'pose' (reads the arm's
    pose from a picture). No code from the file is executed. Raises InputError where the model is
    missing, damaged or of another family.

    >>> load_model("push-ot-small").config.kind
    'ot'
    """
    saved = find_saved(name_or_path)
    found = FAMILIES.find(saved.family)
    if family not in (None, saved.family):
        wanted = FAMILIES.find(str(family)).label
        raise InputError(f"{saved.folder}: this is {found.label}, not {wanted}; name another.")

    def build() -> nn.Module:
        try:
            return found.build(saved.config)
        except (TypeError, InputError) as error:
            raise InputError(
                f"{saved.folder}/model.json: the configuration is damaged ({error})."
            ) from None

    try:
        return saved.restore(build).to(device).eval()
    except InputError:
        # A run in training drops old saves, perhaps between finding this one and reading it.
        if saved.folder.exists():
            raise
        return load_model(name_or_path, device, family=family)  # type: ignore[call-overload]
