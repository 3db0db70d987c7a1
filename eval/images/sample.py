"""Pictures sampled from an image model: grids, strips, super-resolution, completions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pixelpush.datasets.image_sets import ImageSet, open_images
from pixelpush.datasets.image_sets.base import ImageExample
from pixelpush.errors import InputError
from pixelpush.eval.devices import Device, pick_device
from pixelpush.eval.images.figures import (
    Row,
    check_png,
    enlarge,
    grid,
    scale_strip,
    structure_tile,
    write_panel,
)
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.image import Condition, ImageModel, ImageSample
from pixelpush.image.model import RasterModel
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN
from pixelpush.image.multiscale_pixelrnn import MultiscalePixelRNN
from pixelpush.training.image_batches import check_fits, read_images
from pixelpush.vpn import load_model


def draw_picture(name: str, out: Path, settings: PictureSettings, device: Device) -> None:
    """Sample a saved image model, write the picture to ``out``, and print what the samples cost.

    Raises InputError where the model cannot make this kind of picture."""
    check_png(out)
    model = load_model(name, pick_device(device), family="image")
    draw = {"grid": _grid, "strip": _strip, "upscale": _upscale, "complete": _complete}
    drawn = draw[settings.kind](model, settings, out)
    size = model.config.colours * model.config.image_size**2
    nats = -drawn.log_prob.cpu().double().sum(dim=(1, 2)).mean().item()
    print(
        f"{out}: {len(drawn.images)} samples, {drawn.network_evaluations} network evaluations "
        f"each, {nats / size:.3f} nats per sub-pixel"
    )


def _grid(model: ImageModel, settings: PictureSettings, out: Path) -> ImageSample:

    condition = _conditions(model, settings, settings.n, 1)
    drawn = model.sample(settings.n, condition, _generator(settings), settings.temperature)
    write_png(out, grid(drawn.images.cpu().numpy(), settings.columns))
    return drawn


def _strip(model: ImageModel, settings: PictureSettings, out: Path) -> ImageSample:

    config = model.config
    if isinstance(model, MultiscalePixelCNN):
        sizes = list(model.config.sizes)
    elif isinstance(model, MultiscalePixelRNN):
        sizes = model.sizes
    else:
        raise InputError(f"{config.kind} has one scale; strips are of multiscale models.")
    condition = _conditions(model, settings, settings.n, 1)
    drawn = model.sample(settings.n, condition, _generator(settings), settings.temperature)
    examples = (
        [_open(model, settings)[settings.first + i] for i in range(settings.n)]
        if settings.data
        else []
    )
    rows = [
        _strip_row(model, image, sizes, examples[number] if examples else None)
        for number, image in enumerate(drawn.images.cpu().numpy())
    ]
    titles = [
        *(["given"] if examples and config.structure else []),
        *(f"{size}x{size}" for size in sizes),
    ]
    write_panel(rows, [*titles, *(["real"] if examples else [])], out)
    return drawn


def _strip_row(
    model: ImageModel, image: np.ndarray, sizes: list[int], example: ImageExample | None
) -> Row:
    """A sample at every scale, between its condition and the real image where there is one."""
    tiles = scale_strip(image, sizes)
    config = model.config
    if example is None:
        return Row(tiles)
    caption = example.captions[0] if config.captions else ""
    if config.structure:
        tiles = [structure_tile(example.structure, config.image_size), *tiles]
    return Row([*tiles, example.image], caption)


def _upscale(model: ImageModel, settings: PictureSettings, out: Path) -> ImageSample:

    if not isinstance(model, MultiscalePixelCNN):
        raise InputError(
            f"{model.config.kind} has no upscalers; super-resolution needs a multiscale-pixelcnn."
        )
    real = _real_images(model, settings)
    step = model.config.image_size // settings.given if settings.given else 0
    if step < 2 or settings.given * step != model.config.image_size:
        raise InputError(
            f"--given {settings.given}: choose one of the model's smaller sizes "
            f"{model.config.sizes[:-1]}."
        )
    small = real[..., ::step, ::step].repeat_interleave(settings.samples, 0)
    condition = _conditions(model, settings, settings.n, settings.samples)
    drawn = model.upscale(small, condition, _generator(settings), settings.temperature)
    images = (
        drawn.images.cpu().numpy().reshape(settings.n, settings.samples, *drawn.images.shape[1:])
    )
    rows = [
        Row([enlarge(image[:, ::step, ::step], image.shape[1]), image, *images[number]])
        for number, image in enumerate(real.numpy())
    ]
    write_panel(rows, [f"given {settings.given}x{settings.given}", "real", "samples"], out)
    return drawn


def _complete(model: ImageModel, settings: PictureSettings, out: Path) -> ImageSample:

    if not isinstance(model, RasterModel):
        raise InputError(
            f"{model.config.kind} does not go pixel by pixel; completion needs one of the base "
            "models."
        )
    real = _real_images(model, settings)
    size = model.config.image_size
    known = torch.zeros(size, size, dtype=torch.bool)
    known[: size // 2] = True
    condition = _conditions(model, settings, settings.n, settings.samples)
    repeated = real.repeat_interleave(settings.samples, 0)
    drawn = model.complete(repeated, known, condition, _generator(settings), settings.temperature)
    images = (
        drawn.images.cpu().numpy().reshape(settings.n, settings.samples, *drawn.images.shape[1:])
    )
    occluded = torch.where(known, real, torch.zeros_like(real)).numpy()
    rows = [Row([occluded[n], *images[n], image]) for n, image in enumerate(real.numpy())]
    write_panel(rows, ["occluded", *["completion"] * settings.samples, "original"], out)
    return drawn


def _open(model: ImageModel, settings: PictureSettings) -> ImageSet:

    if not settings.data:
        raise InputError(
            "this picture needs real images or conditions; name an image set with --data."
        )
    images = open_images(settings.data, settings.split, size=model.config.image_size)
    check_fits(model.config, images)
    if settings.first < 0 or settings.first + settings.n > len(images):
        raise InputError(
            f"{images.name} has {len(images)} images; --first {settings.first} with --n "
            f"{settings.n} is past."
        )
    return images


def _real_images(model: ImageModel, settings: PictureSettings) -> torch.Tensor:

    return read_images(
        model.config, _open(model, settings), range(settings.first, settings.first + settings.n)
    )[0]


def _conditions(
    model: ImageModel, settings: PictureSettings, count: int, repeats: int
) -> Condition | None:
    """The condition of ``count`` images, each ``repeats`` times; from the data, or the one class
    that was asked for."""

    if not model.conditioning.used:
        return None
    if settings.label is not None:
        return Condition(classes=torch.full((count * repeats,), settings.label))
    if not settings.data:
        raise InputError(
            "this model is conditional: name an image set with --data, or a class with --label."
        )
    window = range(settings.first, settings.first + count)
    condition = read_images(model.config, _open(model, settings), window)[1]
    return condition[torch.arange(count).repeat_interleave(repeats)]


def _generator(settings: PictureSettings) -> torch.Generator:
    return torch.Generator().manual_seed(settings.seed)
