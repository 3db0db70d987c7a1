"""Pictures sampled from an image model: grids, strips, layouts, super-resolution, completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pixelpush.datasets.image_sets.base import STRUCTURE_SIZE
from pixelpush.errors import InputError
from pixelpush.eval.devices import pick_device
from pixelpush.eval.images.asked import Asked, asked_rows, from_data, open_for, together
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
from pixelpush.eval.likelihood.runs import run_facts
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.image import ImageModel, ImageSample
from pixelpush.image.model import RasterModel
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN
from pixelpush.image.multiscale_pixelrnn import MultiscalePixelRNN
from pixelpush.settings import Device
from pixelpush.vpn import load_model

_TILE = 96  # screen pixels of an image in a plain grid, at least
# Where layouts move the parts and masks to, as shares of the image across and along.
_MOVES = ((0.0, 0.0), (-0.25, 0.0), (0.25, 0.0), (0.0, -0.25), (0.0, 0.25))


def draw_picture(name: str, out: Path, settings: PictureSettings, device: Device) -> None:
    """Sample a saved image model, write the picture to ``out``, and print what the samples cost.

    Raises InputError where the model cannot make this kind of picture.

    >>> draw_picture("objects-multiscale", Path("a.jpg"), PictureSettings(), "cpu")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a.jpg: pictures are written as PNG; end the name in .png.
    """
    check_png(out)
    model = load_model(name, pick_device(device), family="image")
    data = settings.data or run_facts(name).data
    draw = {
        "grid": _grid,
        "strip": _strip,
        "layouts": _layouts,
        "upscale": _upscale,
        "complete": _complete,
    }
    drawn = draw[settings.kind](model, data, settings, out)
    size = model.config.colours * model.config.image_size**2
    nats = -drawn.log_prob.cpu().double().sum(dim=(1, 2)).mean().item()
    print(
        f"{out}: {len(drawn.images)} samples, {drawn.network_evaluations} network evaluations "
        f"each, {nats / size:.3f} nats per sub-pixel"
    )


def _sampled(
    model: ImageModel, rows: Sequence[Asked], settings: PictureSettings
) -> tuple[ImageSample, np.ndarray]:
    """The samples, and their images by row: uint8 (rows, samples, C, H, W)."""
    condition = together(rows, settings.samples)
    count = len(rows) * settings.samples
    drawn = model.sample(count, condition, _generator(settings), settings.temperature)
    return drawn, _by_row(drawn, len(rows))


def _by_row(drawn: ImageSample, rows: int) -> np.ndarray:
    images = drawn.images.cpu().numpy()
    return images.reshape(rows, -1, *images.shape[1:])


def _grid(model: ImageModel, data: str, settings: PictureSettings, out: Path) -> ImageSample:
    rows = asked_rows(model, data, settings)
    drawn, images = _sampled(model, rows, settings)
    if rows[0].condition is None:
        size = model.config.image_size
        # -(-a // b) is a / b rounded up: whole pixels, never enlarged by a fraction.
        large = size * max(1, -(-_TILE // size))
        tiles = np.stack([enlarge(image, large) for image in drawn.images.cpu().numpy()])
        write_png(out, grid(tiles, settings.samples))
        return drawn
    panel = [
        Row([*_given(model, row), *images[number], *_real(row)], row.words)
        for number, row in enumerate(rows)
    ]
    samples = ["samples", *[""] * (settings.samples - 1)]
    real = ["real"] if rows[0].example else []
    write_panel(panel, [*(["given"] if _given(model, rows[0]) else []), *samples, *real], out)
    return drawn


def _given(model: ImageModel, row: Asked) -> list[np.ndarray]:
    """A tile of what is known of parts and masks, where something is."""
    if row.structure is None or not row.structure.any():
        return []
    return [structure_tile(row.structure, max(model.config.image_size, STRUCTURE_SIZE))]


def _real(row: Asked) -> list[np.ndarray]:
    return [] if row.example is None else [row.example.image]


def _strip(model: ImageModel, data: str, settings: PictureSettings, out: Path) -> ImageSample:
    if isinstance(model, MultiscalePixelCNN):
        sizes = list(model.config.sizes)
    elif isinstance(model, MultiscalePixelRNN):
        sizes = model.sizes
    else:
        raise InputError(f"{model.config.kind} has one scale; strips are of multiscale models.")
    rows = asked_rows(model, data, settings)
    drawn, images = _sampled(model, rows, replace(settings, samples=1))
    panel = [
        Row([*_given(model, row), *scale_strip(images[number, 0], sizes), *_real(row)], row.words)
        for number, row in enumerate(rows)
    ]
    given = ["given"] if _given(model, rows[0]) else []
    scales = [f"{size}x{size}" for size in sizes]
    write_panel(panel, [*given, *scales, *(["real"] if rows[0].example else [])], out)
    return drawn


def _layouts(model: ImageModel, data: str, settings: PictureSettings, out: Path) -> ImageSample:
    """Reed et al. 2017, figure 4: one caption, its parts and masks in several places."""
    if not model.config.structure:
        raise InputError(f"{model.config.kind}: layouts need a model with parts or masks.")
    images = open_for(model, data, settings)
    rows = from_data(model, images, data, settings)
    moved = [_moved(row, move) for row in rows for move in _MOVES]
    drawn, found = _sampled(model, moved, replace(settings, samples=1))
    panel = []
    for number, row in enumerate(rows):
        of_row = range(number * len(_MOVES), (number + 1) * len(_MOVES))
        size = max(model.config.image_size, STRUCTURE_SIZE)
        maps = [structure_tile(np.asarray(moved[i].structure), size) for i in of_row]
        panel += [Row([*maps, *_real(row)]), Row([found[i, 0] for i in of_row], row.words)]
    write_panel(panel, ["as it was", "left", "right", "up", "down", "real"], out)
    return drawn


def _moved(row: Asked, move: tuple[float, float]) -> Asked:
    """A row whose maps are moved by shares of the image; what enters at the side is empty."""
    assert row.condition is not None
    structure = row.condition.structure
    if structure is None:
        return row
    across, along = (round(share * STRUCTURE_SIZE) for share in move)
    # Maps of which nothing is known stay so.
    empty = torch.where(structure.amin(dim=(2, 3), keepdim=True) < 0, -1, 0).to(structure)
    result = empty.expand_as(structure).clone()
    rows, columns = _overlap(along), _overlap(across)
    result[..., rows[1], columns[1]] = structure[..., rows[0], columns[0]]
    shown = result[0].clamp(min=0).numpy()
    return replace(row, condition=replace(row.condition, structure=result), structure=shown)


def _overlap(step: int) -> tuple[slice, slice]:
    """Which cells move, and to which, when all move by ``step``."""
    side = STRUCTURE_SIZE
    return slice(max(0, -step), side - max(0, step)), slice(max(0, step), side - max(0, -step))


def _upscale(model: ImageModel, data: str, settings: PictureSettings, out: Path) -> ImageSample:
    if not isinstance(model, MultiscalePixelCNN):
        raise InputError(
            f"{model.config.kind} has no upscalers; super-resolution needs a multiscale-pixelcnn."
        )
    sizes = model.config.sizes
    if settings.given not in sizes[:-1]:
        raise InputError(
            f"--given {settings.given}: choose one of the model's smaller sizes {sizes[:-1]}."
        )
    step = model.config.image_size // settings.given
    rows, real = _with_real(model, data, settings)
    small = real[..., ::step, ::step].repeat_interleave(settings.samples, 0)
    condition = together(rows, settings.samples)
    drawn = model.upscale(small, condition, _generator(settings), settings.temperature)
    images = _by_row(drawn, settings.rows)
    panel = [
        Row([enlarge(image[:, ::step, ::step], image.shape[1]), image, *images[number]])
        for number, image in enumerate(real.numpy())
    ]
    write_panel(panel, [f"given {settings.given}x{settings.given}", "real", "samples"], out)
    return drawn


def _complete(model: ImageModel, data: str, settings: PictureSettings, out: Path) -> ImageSample:
    if not isinstance(model, RasterModel):
        raise InputError(
            f"{model.config.kind} does not go pixel by pixel; completion needs one of the base "
            "models."
        )
    rows, real = _with_real(model, data, settings)
    size = model.config.image_size
    known = torch.zeros(size, size, dtype=torch.bool)
    known[: size // 2] = True
    condition = together(rows, settings.samples)
    repeated = real.repeat_interleave(settings.samples, 0)
    drawn = model.complete(repeated, known, condition, _generator(settings), settings.temperature)
    images = _by_row(drawn, settings.rows)
    occluded = torch.where(known, real, torch.zeros_like(real)).numpy()
    panel = [Row([occluded[n], *images[n], image]) for n, image in enumerate(real.numpy())]
    write_panel(panel, ["occluded", *["completion"] * settings.samples, "original"], out)
    return drawn


def _with_real(
    model: ImageModel, data: str, settings: PictureSettings
) -> tuple[list[Asked], torch.Tensor]:
    """The rows' conditions and their real images, uint8 (rows, C, H, W)."""
    images = open_for(model, data, settings)
    examples = [images[settings.first + row] for row in range(settings.rows)]
    real = torch.from_numpy(np.stack([example.image for example in examples]))
    if not model.conditioning.used:
        return [Asked(None)] * settings.rows, real
    return from_data(model, images, data, settings), real


def _generator(settings: PictureSettings) -> torch.Generator:
    return torch.Generator().manual_seed(settings.seed)
