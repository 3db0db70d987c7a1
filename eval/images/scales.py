"""Where the nats are: the share of each scale and group of a multiscale model.

Reed et al. 2017, section 3: the likelihoods of the base, of every scale and of its groups 2, 3 and
4 add up to the image's. Every pixel of the full image belongs to exactly one of them, by its row
and column."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pixelpush.image import ImageModel
from pixelpush.image.groups import split_groups, subsample
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN


@dataclass(frozen=True)
class Share:
    """Nats of one scale's group.

    size: side of the scale in pixels. group: 2, 3 or 4; 0 for the base. nats: an image's, mean over
    images. pixels: how many the group has.

    >>> Share(8, 0, 640.0, 64).nats_per_pixel
    10.0
    """

    size: int
    group: int
    nats: float
    pixels: int

    @property
    def nats_per_pixel(self) -> float:
        return self.nats / self.pixels

    @property
    def label(self) -> str:
        """What figures call it."""
        return f"{self.size}" + (f", group {self.group}" if self.group else ", base")


def shares(log_prob: Tensor, sizes: tuple[int, ...]) -> list[Share]:
    """The shares of scales and groups, the coarsest first; their nats sum to the images' mean.

    log_prob: (N, H, W) of a model whose scales have these ``sizes``, the last one H.

    >>> import torch
    >>> [(s.label, s.nats, s.pixels) for s in shares(-torch.ones(1, 4, 4), (2, 4))][:2]
    [('2, base', 4.0, 4), ('4, group 2', 4.0, 4)]
    """
    nats = -log_prob.cpu().double()[:, None]
    times = len(sizes) - 1
    base = subsample(nats, times)
    found = [Share(sizes[0], 0, float(base.sum((1, 2, 3)).mean()), sizes[0] ** 2)]
    for scale in range(1, len(sizes)):
        groups = split_groups(subsample(nats, times - scale))
        for number in (2, 3, 4):
            group = groups[number - 1]
            mean = float(group.sum((1, 2, 3)).mean())
            found.append(Share(sizes[scale], number, mean, (sizes[scale] // 2) ** 2))
    return found


def scales_of(model: ImageModel) -> tuple[int, ...]:
    """Sizes of a multiscale model's scales whose likelihoods add up, from the base on; () for a
    model of one scale.

    >>> from pixelpush.image import build_image_model
    >>> size = {"image_size": 16, "channels": 8}
    >>> scales_of(build_image_model("multiscale-pixelcnn", base_layers=2, blocks=1, **size))
    (8, 16)
    >>> scales_of(build_image_model("gated-pixelcnn", layers=2, **size))
    ()
    """
    return model.config.sizes if isinstance(model, MultiscalePixelCNN) else ()
