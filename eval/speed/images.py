"""Table 4, images: seconds an image for plain, cached and multiscale sampling, 32x32 at batch
30."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from pixelpush.eval.text import number, text_table
from pixelpush.image import ImageModel, build_image_model
from pixelpush.image.model import RasterModel
from pixelpush.published import SAMPLING_SECONDS, SAMPLING_SOURCE

# The published PixelCNN and Multiscale PixelCNN share a width; so do ours.
SIZES = {"paper": 128, "small": 32}
# Images sampled at once for the published rows (Reed et al. 2017, Table 4).
PUBLISHED_BATCH = 30


@dataclass(frozen=True)
class ImageTiming:
    """One sampler. sequential_steps: of the network, one after another. extrapolated: not whole.

    >>> ImageTiming("a", 0.1, 3.0, 64, 64, parameters=1000, extrapolated=False).seconds_per_batch
    3.0
    """

    name: str
    seconds_per_image: float
    seconds_per_batch: float
    sequential_steps: int
    evaluations: int
    parameters: int
    extrapolated: bool


@dataclass(frozen=True)
class ImageSpeedReport:
    """Everything that was measured of the image samplers. size: 'small' or 'paper'.

    >>> ImageSpeedReport("small", 32, batch=30, device="cpu", plain_steps=30, rows=[]).side
    32
    """

    size: str
    side: int
    batch: int
    device: str
    plain_steps: int
    rows: list[ImageTiming]

    def to_json(self) -> dict[str, object]:
        """The JSON values of the report."""
        return asdict(self)


def measure_images(
    size: str, batch: int, device: str, plain_steps: int, side: int = 32
) -> ImageSpeedReport:
    """Time every image sampler with random weights. Plain sampling is timed on ``plain_steps``
    pixels, evenly spread over the image, and extrapolated; everything else is timed whole, after
    one warming-up.

    >>> SIZES  # the channels that each size stands for
    {'paper': 128, 'small': 32}
    """
    width = SIZES[size]
    layers = 15 if size == "paper" else 6
    torch.manual_seed(0)
    gated = build_image_model("gated-pixelcnn", image_size=side, channels=width, layers=layers)
    blocks = (
        {"blocks": 6, "patch_layers": 4} if size == "paper" else {"blocks": 2, "patch_layers": 2}
    )
    rows = [
        _plain(gated.to(device).eval(), batch, plain_steps),
        _whole("Gated PixelCNN, cached", gated, batch),
    ]
    for upscaler in ("B", "A"):
        model = build_image_model(
            "multiscale-pixelcnn",
            image_size=side,
            channels=width,
            base_layers=layers,
            upscaler=upscaler,
            **blocks,
        )
        rows.append(_whole(f"Multiscale PixelCNN, type {upscaler}", model.to(device).eval(), batch))
    return ImageSpeedReport(size, side, batch, device, plain_steps, rows)


def _row(
    name: str, model: ImageModel, batch: int, seconds: float, steps: int, extrapolated: bool
) -> ImageTiming:
    return ImageTiming(
        name=name,
        seconds_per_image=seconds / batch,
        seconds_per_batch=seconds,
        sequential_steps=steps,
        evaluations=model.evaluations,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        extrapolated=extrapolated,
    )


@torch.no_grad()
def _plain(model: ImageModel, batch: int, steps: int) -> ImageTiming:
    """Full passes of the network at some pixels, as the plain sampler runs them."""
    assert isinstance(model, RasterModel)
    side = model.config.image_size
    decoder = model.decoder
    image = torch.zeros(
        batch, model.config.colours, side, side, dtype=torch.uint8, device=model.device
    )
    uniforms = torch.rand(batch, decoder.uniforms_per_pixel, 1, 1, device=model.device)

    def pixel(place: int) -> Tensor:
        row, column = divmod(place, side)
        distribution = decoder.head(decoder.trunk(image)[:, :, row, column, None, None])
        image[:, :, row, column] = distribution.sample(uniforms)[:, :, 0, 0]
        return distribution.log_prob(image[:, :, row : row + 1, column : column + 1])

    pixel(0)
    steps = min(steps, side * side)
    began = _now(model.device)
    for step in range(steps):
        pixel(step * side * side // steps)
    seconds = (_now(model.device) - began) / steps * side * side
    return _row("Gated PixelCNN, plain", model, batch, seconds, side * side, steps < side * side)


def _whole(name: str, model: ImageModel, batch: int) -> ImageTiming:
    generator = torch.Generator().manual_seed(0)
    model.sample(1, generator=generator)
    began = _now(model.device)
    model.sample(batch, generator=generator)
    # A pixel's colours are one pass of the trunk and small steps of the head.
    head_steps = model.new_head(1).evaluations
    return _row(
        name, model, batch, _now(model.device) - began, model.evaluations // head_steps, False
    )


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def table4_images_text(report: ImageSpeedReport) -> str:
    """The image rows of Table 4, with the published ones.

    >>> row = ImageTiming("ours", 0.1, 3.0, 64, 64, parameters=1000, extrapolated=False)
    >>> text = table4_images_text(ImageSpeedReport("small", 32, 30, "cpu", 30, [row]))
    >>> text.splitlines()[2].split()
    ['ours', '3.000', '0.1000', '64', '64', '1.0x']
    """
    first = report.rows[0].seconds_per_batch
    rows = [
        [
            row.name + (" (extrapolated)" if row.extrapolated else ""),
            number(row.seconds_per_batch, 3),
            number(row.seconds_per_image, 4),
            str(row.sequential_steps),
            str(row.evaluations),
            f"{first / row.seconds_per_batch:.1f}x",
        ]
        for row in report.rows
    ]
    ours = len(rows)
    slow = SAMPLING_SECONDS["pixelcnn"][1]
    for key in ("pixelcnn", "multiscale"):
        name, seconds, graph = SAMPLING_SECONDS[key]
        rows.append([name, "-", number(seconds, 2), "-", "-", f"{slow / seconds:.0f}x"])
        if graph is not None:
            rows.append(
                [f"{name}, in-graph", "-", number(graph, 2), "-", "-", f"{slow / graph:.0f}x"]
            )
    head = f"{report.side}x{report.side}, batch {report.batch}, {report.device}"
    table = text_table(
        [head, "s/batch", "s/image", "steps", "evaluations", "speed-up"], rows, [ours]
    )
    return f"{table}\npublished: {SAMPLING_SOURCE}, seconds a frame as printed there"
