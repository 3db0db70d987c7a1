"""Real NVP (Dinh et al. 2017): an invertible network, and the exact change of variables over
dequantised pixels.

    log p(y) = log N(f(y); 0, 1) + log |det df/dy|,   y = (x + u) / 256,  u uniform in [0, 1)

f is a stack of affine couplings at several scales. For whole pixels this is a bound: the mean over
u of log p(y) is at most log P(x). A score uses one u, drawn from the image's own bytes, so that it
is the same in every batch. No batch normalisation: with it, a score would depend on the batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.conditioning import Condition, ConditionEncoder
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import DOWNSAMPLED, ImageKind, ImagePreset
from pixelpush.image.layers import Layers, block_stack, zero
from pixelpush.image.model import ImageModel
from pixelpush.image.noise import own_uniforms
from pixelpush.published import imagenet_words

# Section 4.1: pixels are taken to the logit of ALPHA + (1 - 2 ALPHA) y, so that none is infinite.
ALPHA = 0.05


@dataclass(frozen=True)
class RealNVPConfig(ImageConfig):
    """Sizes of a Real NVP.

    channels, blocks: width and residual blocks of every coupling's network. scales: their number;
    from one to the next the image halves in size and half of the variables leave.

    >>> RealNVPConfig("real-nvp", image_size=32).scales
    3
    """

    MAY_BE_ZERO: ClassVar[tuple[str, ...]] = (*ImageConfig.MAY_BE_ZERO, "blocks")

    channels: int = 64
    blocks: int = 8
    scales: int = 3

    def __post_init__(self):
        if self.image_size % 2 ** (self.scales - 1):
            raise InputError(
                f"images of {self.image_size} pixels do not halve {self.scales - 1} times."
            )
        super().__post_init__()


class Coupling(nn.Module):
    """An affine coupling: masked variables stay and tell how the others are scaled and moved.

        z = m y + (1 - m) (y exp(s(m y)) + t(m y)),   log |det| = sum of (1 - m) s   (equation 7)

    mask: (1, C, H, W) or a shape that broadcasts to it, of 0 and 1.

    >>> coupling = Coupling(checkerboard(4, 4, 0), channels=1, width=4, blocks=0, conditioning=0)
    >>> values = torch.randn(2, 1, 4, 4)
    >>> torch.equal(coupling.back(coupling(values, None)[0], None), values)
    True
    """

    mask: Tensor

    def __init__(self, mask: Tensor, channels: int, width: int, blocks: int, conditioning: int):
        super().__init__()
        self.register_buffer("mask", mask, persistent=False)
        self.enter = nn.Conv2d(channels + conditioning, width, 3, padding=1)
        self.blocks = block_stack("residual", width, blocks)
        self.leave = nn.Conv2d(width, 2 * channels, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))
        zero(self.leave)

    def _terms(self, values: Tensor, conditioning: Tensor | None) -> tuple[Tensor, Tensor]:
        seen = values * self.mask
        inputs = seen if conditioning is None else torch.cat([seen, conditioning], dim=1)
        hidden = F.silu(self.blocks(self.enter(inputs)))
        scale, move = self.leave(hidden).float().chunk(2, dim=1)
        free = 1 - self.mask
        return self.gain * torch.tanh(scale) * free, move * free

    def forward(self, values: Tensor, conditioning: Tensor | None) -> tuple[Tensor, Tensor]:
        """(values, log-determinant (N,))."""
        scale, move = self._terms(values, conditioning)
        return values * scale.exp() + move, scale.sum(dim=(1, 2, 3))

    def back(self, values: Tensor, conditioning: Tensor | None) -> Tensor:
        """The inverse."""
        scale, move = self._terms(values, conditioning)
        return (values - move) * (-scale).exp()


def checkerboard(height: int, width: int, first: int) -> Tensor:
    """(1, 1, height, width) of 0 and 1 by turns; ``first`` stands at the upper left.

    >>> checkerboard(2, 2, 1)[0, 0].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    places = torch.arange(height)[:, None] + torch.arange(width)
    return ((places + first) % 2).float()[None, None]


def halves(channels: int, first: int) -> Tensor:
    """(1, channels, 1, 1): ``first`` in the first half of the channels, 1 - first in the second.

    >>> halves(4, 1).flatten().tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return (torch.arange(channels) * 2 < channels).float().sub(1 - first).abs()[None, :, None, None]


class Scale(nn.Module):
    """The couplings of one scale (section 3.6).

    They are three checkerboards, a squeeze, three halves of the channels; the last scale has four
    checkerboards only.

    shape: (C, H, W) of what enters. leaving: how many variables leave after it.

    >>> config = RealNVPConfig("real-nvp", channels=4, blocks=0)
    >>> Scale(config, (3, 8, 8), conditioning=0, last=False).leaving
    96
    """

    def __init__(
        self, config: RealNVPConfig, shape: tuple[int, int, int], conditioning: int, last: bool
    ):
        super().__init__()
        channels, side, _ = shape
        self.shape = shape
        self.leaving = channels * side * side // (1 if last else 2)
        count = 4 if last else 3

        def coupling(mask: Tensor, channels: int) -> Coupling:
            return Coupling(mask, channels, config.channels, config.blocks, conditioning)

        self.before = Layers(
            coupling(checkerboard(side, side, number % 2), channels) for number in range(count)
        )
        after = 0 if last else 3
        self.after = Layers(
            coupling(halves(4 * channels, number % 2), 4 * channels) for number in range(after)
        )


class RealNVP(ImageModel):
    """Affine couplings at several scales; half of the variables leave at each (section 3.6).

    ``log_prob`` of a pixel is the image's spread evenly: an invertible network has no likelihood of
    a pixel of its own.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("real-nvp", image_size=8, channels=4, blocks=0, scales=2)
    >>> model.log_prob(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 8, 8])
    """

    config: RealNVPConfig

    def __init__(self, config: RealNVPConfig):
        super().__init__(config)
        self.uniforms_per_pixel = config.colours
        self.encoder = ConditionEncoder(self.conditioning)
        conditioning = self.conditioning.out_channels
        self.scales = Layers(
            Scale(
                config,
                # Squeezed to four times the channels, of which half leave.
                (
                    config.colours * 2**number,
                    config.image_size >> number,
                    config.image_size >> number,
                ),
                conditioning,
                last=number == config.scales - 1,
            )
            for number in range(config.scales)
        )

    @property
    def evaluations(self) -> int:
        return sum(len(scale.before) + len(scale.after) for scale in self.scales)

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        noise = own_uniforms(images, self.config.colours)
        return self._spread(self.density(images.float() + noise, condition))

    def density(self, levels: Tensor, condition: Condition) -> Tensor:
        """Nats (N,) of the density of dequantised levels, float (N, C, H, W) in (0, 256)."""
        values, logdet = _to_logit(levels)
        latent, added = self.encode(values, condition)
        normal = -0.5 * (latent.square() + math.log(2 * math.pi))
        return normal.sum(dim=1) + logdet + added

    def training_loss(
        self, images: Tensor, condition: Condition | None = None
    ) -> dict[str, Tensor]:
        """As every model's, with fresh dequantisation noise at every step."""
        self.check_images(images)
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        images = images.to(self.device)
        levels = images.float() + torch.rand(images.shape, device=self.device)
        nats = self._spread(self.density(levels, self.conditioning.dropped(condition)))
        loss = -nats.mean() / self.config.colours
        return {"loss": loss, "nats_per_subpixel": loss.detach()}

    def encode(self, values: Tensor, condition: Condition) -> tuple[Tensor, Tensor]:
        """(latent (N, C H W), log-determinant (N,)) of values (N, C, H, W)."""
        encoded = self.encoder(condition)
        left = []
        total = values.new_zeros(len(values))
        for scale in self.scales:
            beside = encoded.on_grid(*values.shape[2:])
            for coupling in scale.before:
                values, logdet = coupling(values, beside)
                total = total + logdet
            if scale.after:
                values = F.pixel_unshuffle(values, 2)
                beside = encoded.on_grid(*values.shape[2:])
                for coupling in scale.after:
                    values, logdet = coupling(values, beside)
                    total = total + logdet
                values, leaving = values.chunk(2, dim=1)
                left.append(leaving.flatten(1))
        return torch.cat([*left, values.flatten(1)], dim=1), total

    def decode(self, latent: Tensor, condition: Condition) -> Tensor:
        """The inverse of ``encode``: values (N, C, H, W)."""
        encoded = self.encoder(condition)
        sizes = [scale.leaving for scale in self.scales]
        *left, rest = latent.split(sizes, dim=1)
        values = rest.view(len(latent), *self.scales[-1].shape)
        for number in reversed(range(len(self.scales))):
            scale = self.scales[number]
            if scale.after:
                # Inverse order: join what left, undo the couplings after the squeeze, undo the
                # squeeze.
                leaving = left[number].view_as(values)
                values = torch.cat([values, leaving], dim=1)
                beside = encoded.on_grid(*values.shape[2:])
                for coupling in reversed(list(scale.after)):
                    values = coupling.back(values, beside)
                values = F.pixel_shuffle(values, 2)
            beside = encoded.on_grid(*values.shape[2:])
            for coupling in reversed(list(scale.before)):
                values = coupling.back(values, beside)
        return values

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        """One pass backwards; the nats are those that ``log_prob`` gives the drawn images."""
        latent = normal_from(uniforms).flatten(1) * temperature
        values = self.decode(latent, condition)
        shares = (torch.sigmoid(values) - ALPHA) / (1 - 2 * ALPHA)
        images = (shares * 256).floor().clamp(0, 255).to(torch.uint8)
        return images, self.score(images, condition)

    def _spread(self, nats: Tensor) -> Tensor:
        side = self.config.image_size
        return (nats / side**2)[:, None, None].expand(-1, side, side)


def _to_logit(levels: Tensor) -> tuple[Tensor, Tensor]:
    """(values, log-determinant (N,)) of levels in (0, 256)."""
    # v = logit(a + (1 - 2 a) l / 256). Its slope (1 - 2 a) / 256 / (share (1 - share)) is taken by
    # the level l, whose bin is 1 wide: the density needs no further log 256.
    share = ALPHA + (1 - 2 * ALPHA) * levels / 256
    values = torch.log(share) - torch.log1p(-share)
    slope = math.log((1 - 2 * ALPHA) / 256) - torch.log(share) - torch.log1p(-share)
    return values, slope.sum(dim=(1, 2, 3))


def normal_from(uniforms: Tensor) -> Tensor:
    """Normal numbers from uniform ones in [0, 1), by inverse CDF; finite at 0 too.

    >>> normal_from(torch.tensor([0.5])).item()
    0.0
    """
    # float32 uniforms are multiples of 2^-24: only 0 is moved. On the CPU: not every GPU has
    # float64, and so all have the same numbers.
    inside = uniforms.cpu().double().clamp(2.0**-26, 1 - 2.0**-26)
    return torch.special.ndtri(inside).float().to(uniforms.device)


_OURS = (
    "no batch normalisation: with it a score depends on the batch",
    "the same width at every scale; the public code doubles it from one to the next",
)
KIND = ImageKind(
    name="real-nvp",
    label="Real NVP",
    config=RealNVPConfig,
    build=RealNVP,
    distribution="logistic",
    bound=True,
    presets={
        # The authors' code (tensorflow/models, research/real_nvp): 32 maps; 4 blocks, 4 scales at
        # 32x32 pixels, 2 blocks (its default) and 5 scales at 64x64: the last scale has 4x4.
        "paper-imagenet32-real-nvp": ImagePreset(
            {"image_size": 32, "channels": 32, "blocks": 4, "scales": 4},
            "paper-real-nvp",
            DOWNSAMPLED.format(32),
            expected=imagenet_words("Real NVP", 32),
            ours=_OURS,
        ),
        "paper-imagenet64-real-nvp": ImagePreset(
            {"image_size": 64, "channels": 32, "blocks": 2, "scales": 5},
            "paper-real-nvp",
            DOWNSAMPLED.format(64),
            expected=imagenet_words("Real NVP", 64),
            ours=_OURS,
        ),
        "cifar-small-real-nvp": ImagePreset(
            {"image_size": 32, "channels": 32, "blocks": 1}, "small", "cifar10"
        ),
        "objects-real-nvp": ImagePreset(
            {"image_size": 32, "channels": 32, "blocks": 1}, "small", "sim-objects"
        ),
    },
)
