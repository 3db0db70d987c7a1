"""Commands on image models: ``sample``, and what ``nll`` and ``speed`` do for them. Light: torch
comes on a call."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pixelpush.errors import InputError
from pixelpush.eval.commands import Device, pick_device

if TYPE_CHECKING:
    import torch

    from pixelpush.datasets.image_sets import ImageSet
    from pixelpush.image import Condition, ImageModel, ImageSample
    from pixelpush.training.image_scoring import ImageScores

NLL_FORMAT = "pixelpush-image-nll"
NLL_VERSION = 1


@dataclass(frozen=True)
class SampleOptions:
    """Options of ``pixelpush sample``."""

    model: str
    """Run folder or saved image model."""
    out: Path
    """PNG file to write."""
    kind: Literal["grid", "strip", "upscale", "complete"] = "grid"
    """grid: samples side by side; strip: a sample at every scale, with its caption and keypoints;
    upscale: super-resolution of real images; complete: the lower half of real images is sampled."""
    n: int = 16
    """Samples (grid), or rows of the other pictures."""
    samples: int = 4
    """Samples in a row of upscale and complete."""
    data: str = ""
    """Image set for conditions and real images, as NAME or NAME:FOLDER."""
    split: str = "val"
    """Its split."""
    first: int = 0
    """Number of the split's first image to use."""
    label: int | None = None
    """Class of every sample, for class-conditional models without --data."""
    given: int = 8
    """Side of the images that upscale starts from."""
    seed: int = 0
    """The same seed gives the same picture."""
    temperature: float = 1.0
    """Below 1: more cautious samples; 1: the model's own distribution."""
    columns: int = 8
    """Columns of the grid."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""


def sample(options: Annotated[SampleOptions, tyro.conf.arg(name="")]) -> None:
    """Sample an image model: a grid, scale-by-scale strips, super-resolution or completions, as
    PNG."""
    for name in ("n", "samples", "columns"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name} must be at least 1, got {getattr(options, name)}.")

    from pixelpush.eval.image_figures import check_png
    from pixelpush.image import load_image_model

    check_png(options.out)
    model = load_image_model(options.model, pick_device(options.device))
    draw = {"grid": _grid, "strip": _strip, "upscale": _upscale, "complete": _complete}[
        options.kind
    ]
    drawn = draw(model, options)
    size = model.config.colours * model.config.image_size**2
    nats = -drawn.log_prob.double().sum(dim=(1, 2)).mean().item()
    print(
        f"{options.out}: {len(drawn.images)} samples, {drawn.network_evaluations} network "
        "evaluations each,"
        f" {nats / size:.3f} nats per sub-pixel"
    )


def _grid(model: ImageModel, options: SampleOptions) -> ImageSample:
    from pixelpush.eval.film import write_png
    from pixelpush.eval.image_figures import grid

    condition = _conditions(model, options, options.n, 1)
    drawn = model.sample(options.n, condition, _generator(options), options.temperature)
    write_png(options.out, grid(drawn.images.cpu().numpy(), options.columns))
    return drawn


def _strip(model: ImageModel, options: SampleOptions) -> ImageSample:
    from pixelpush.eval.image_figures import Row, scale_strip, structure_tile, write_panel
    from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN
    from pixelpush.image.multiscale_pixelrnn import MultiscalePixelRNN

    config = model.config
    if isinstance(model, MultiscalePixelCNN):
        sizes = list(model.config.sizes)
    elif isinstance(model, MultiscalePixelRNN):
        sizes = model.sizes
    else:
        raise InputError(f"{config.kind} has one scale; strips are of multiscale models.")
    condition = _conditions(model, options, options.n, 1)
    drawn = model.sample(options.n, condition, _generator(options), options.temperature)
    examples = (
        [_open(model, options)[options.first + i] for i in range(options.n)] if options.data else []
    )
    rows = []
    for number, image in enumerate(drawn.images.cpu().numpy()):
        tiles, caption = scale_strip(image, sizes), ""
        if examples:
            caption = examples[number].captions[0] if config.captions else ""
            if config.structure:
                tiles = [structure_tile(examples[number].structure, config.image_size), *tiles]
            tiles.append(examples[number].image)
        rows.append(Row(tiles, caption))
    titles = [
        *(["given"] if examples and config.structure else []),
        *(f"{size}x{size}" for size in sizes),
    ]
    write_panel(rows, [*titles, *(["real"] if examples else [])], options.out)
    return drawn


def _upscale(model: ImageModel, options: SampleOptions) -> ImageSample:
    from pixelpush.eval.image_figures import Row, enlarge, write_panel
    from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN

    if not isinstance(model, MultiscalePixelCNN):
        raise InputError(
            f"{model.config.kind} has no upscalers; super-resolution needs a multiscale-pixelcnn."
        )
    real = _real_images(model, options)
    step = model.config.image_size // options.given if options.given else 0
    if step < 2 or options.given * step != model.config.image_size:
        raise InputError(
            f"--given {options.given}: choose one of the model's smaller sizes "
            f"{model.config.sizes[:-1]}."
        )
    small = real[..., ::step, ::step].repeat_interleave(options.samples, 0)
    condition = _conditions(model, options, options.n, options.samples)
    drawn = model.upscale(small, condition, _generator(options), options.temperature)
    images = drawn.images.cpu().numpy().reshape(options.n, options.samples, *drawn.images.shape[1:])
    rows = [
        Row([enlarge(image[:, ::step, ::step], image.shape[1]), image, *images[number]])
        for number, image in enumerate(real.numpy())
    ]
    write_panel(rows, [f"given {options.given}x{options.given}", "real", "samples"], options.out)
    return drawn


def _complete(model: ImageModel, options: SampleOptions) -> ImageSample:
    import torch

    from pixelpush.eval.image_figures import Row, write_panel
    from pixelpush.image.model import RasterModel

    if not isinstance(model, RasterModel):
        raise InputError(
            f"{model.config.kind} does not go pixel by pixel; completion needs one of the base "
            "models."
        )
    real, size = _real_images(model, options), model.config.image_size
    known = torch.zeros(size, size, dtype=torch.bool)
    known[: size // 2] = True
    condition = _conditions(model, options, options.n, options.samples)
    repeated = real.repeat_interleave(options.samples, 0)
    drawn = model.complete(repeated, known, condition, _generator(options), options.temperature)
    images = drawn.images.cpu().numpy().reshape(options.n, options.samples, *drawn.images.shape[1:])
    occluded = torch.where(known, real, torch.zeros_like(real)).numpy()
    rows = [Row([occluded[n], *images[n], image]) for n, image in enumerate(real.numpy())]
    write_panel(rows, ["occluded", *["completion"] * options.samples, "original"], options.out)
    return drawn


def _open(model: ImageModel, options: SampleOptions) -> ImageSet:
    from pixelpush.datasets.image_sets import open_images
    from pixelpush.training.image_batches import check_fits

    if not options.data:
        raise InputError(
            "this picture needs real images or conditions; name an image set with --data."
        )
    images = open_images(options.data, options.split, size=model.config.image_size)
    check_fits(model.config, images)
    if options.first < 0 or options.first + options.n > len(images):
        raise InputError(
            f"{images.name} has {len(images)} images; --first {options.first} with --n "
            f"{options.n} is past."
        )
    return images


def _real_images(model: ImageModel, options: SampleOptions) -> torch.Tensor:
    from pixelpush.training.image_batches import read_images

    return read_images(
        model.config, _open(model, options), range(options.first, options.first + options.n)
    )[0]


def _conditions(
    model: ImageModel, options: SampleOptions, count: int, repeats: int
) -> Condition | None:
    """The condition of ``count`` images, each ``repeats`` times; from the data, or the one class
    that was asked for."""
    import torch

    from pixelpush.image import Condition
    from pixelpush.training.image_batches import read_images

    if not model.conditioning.used:
        return None
    if options.label is not None:
        return Condition(classes=torch.full((count * repeats,), options.label))
    if not options.data:
        raise InputError(
            "this model is conditional: name an image set with --data, or a class with --label."
        )
    window = range(options.first, options.first + count)
    condition = read_images(model.config, _open(model, options), window)[1]
    return condition[torch.arange(count).repeat_interleave(repeats)]


def _generator(options: SampleOptions) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(options.seed)


def image_nll(options: Any, names: list[str]) -> None:
    """What ``nll`` does for image models (options: NllOptions): exact likelihood of whole splits,
    and the tables."""
    for option in ("figure", "context", "clip_frames"):
        if getattr(options, option) is not None:
            raise InputError(
                f"--{option.replace('_', '-')} is for video models; {names[0]} is an image model, "
                "leave it out."
            )

    from pixelpush.datasets.image_sets import open_images
    from pixelpush.eval.image_report import scores_text, table1_text, table3_text
    from pixelpush.files import write_json
    from pixelpush.image import load_image_model
    from pixelpush.training.image_scoring import score_images

    if not options.data:
        raise InputError(
            "name the image set with --data (mnist, cifar10, imagenet32, cub, ..., or NAME:FOLDER)."
        )
    device, models = pick_device(options.device), []
    for name in names:
        model, splits = load_image_model(name, device), {}
        for split in options.splits or ("test",):
            images = open_images(options.data, split, size=model.config.image_size)
            scores = score_images(
                model,
                images,
                options.episodes,
                options.batch_size,
                device,
                options.precision,
                _bar(options.quiet),
            )
            splits[split] = _describe_scores(scores, images)
        models.append(
            {
                "name": Path(name).name,
                "kind": model.config.kind,
                "image_size": model.config.image_size,
                "parameters": sum(parameter.numel() for parameter in model.parameters()),
                "splits": splits,
            }
        )
    about = {"format": NLL_FORMAT, "version": NLL_VERSION, "data": options.data}
    report = {**about, "models": models, "precision": options.precision, "device": device}
    if options.json is not None:
        write_json(options.json, report)
    texts = [scores_text(report), table1_text([report])]
    if "imagenet" in options.data:
        texts.append(table3_text([report]))
    print("\n\n".join(text for text in texts if text))


def _describe_scores(scores: ImageScores, images: ImageSet) -> dict[str, Any]:
    """One split of one model as JSON values (docs/evaluation.md has the schema)."""
    return {
        "nats_per_image": scores.nats_per_image,
        "nats_per_subpixel": scores.nats_per_subpixel,
        "bits_per_dimension": scores.bits_per_dimension,
        "standard_error": scores.standard_error,
        "images": len(scores.nats),
        "images_in_split": len(images),
        "whole_split": len(scores.nats) == len(images),
        "content_sha256": images.content_sha256,
    }


def image_speed(options: Any) -> None:
    """What ``speed --images`` does (options: SpeedOptions): the O(N) and O(log N) rows of Table
    4."""
    if options.figure is not None or options.precision != "32":
        raise InputError(
            "speed --images draws no figure and runs in float32; leave out --figure and "
            "--precision."
        )

    from pixelpush.eval.image_speed import PUBLISHED_BATCH, measure_images, table4_images_text
    from pixelpush.files import write_json

    size = "paper" if options.preset == "paper" else "small"
    batch = PUBLISHED_BATCH if options.batch is None else options.batch
    report = measure_images(size, batch, pick_device(options.device), options.plain_steps)
    if options.json is not None:
        write_json(options.json, report)
    print(table4_images_text(report))


def _bar(quiet: bool) -> Any:
    if quiet:
        return iter
    from tqdm import tqdm

    return lambda window: tqdm(
        window, leave=False, dynamic_ncols=True, file=sys.stderr, unit="batch"
    )
