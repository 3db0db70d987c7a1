"""The O(TN) decoder of the Video Pixel Network (Kalchbrenner et al. 2016): a PixelCNN over the
frame.

Three samplers give the same bytes: the obvious one, a full pass per sub-pixel; one pixel at a time
from cached activations; and, the default, a wavefront of pixels that cannot see each other, from
the same caches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.cached import BlockCaches, ConvolutionCache, raster_order, wavefront_order
from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.layers import MaskedConv2d, block_stack
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import Decoder
from pixelpush.vpn.encoder import Resize
from pixelpush.vpn.graph import Step, plain_step
from pixelpush.vpn.kinds import VideoKind
from pixelpush.vpn.samplers import PartialSampler, Sampler, WholeFrame

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork


class OTNDecoder(Decoder):
    """Masked residual blocks on the frame, first mask A, conditioned at every position.

    The trunk sees earlier pixels only, never the present one's colours; the head adds those channel
    by channel.

    >>> from pixelpush.vpn import build_model
    >>> build_model("otn", frame_size=8, coarse_scales=0).decoder.evaluations
    192
    """

    # The wavefront grows and shrinks: no two steps need have the same shapes.
    static = False

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config, features)
        c = config
        self.resize = Resize(features, c.grid, c.frame_size)
        self.condition = nn.Conv2d(features, c.decoder_channels, 1)
        images = 2 if c.centred else 1
        self.enter = MaskedConv2d(images * c.colours, c.decoder_channels, 3, "A")
        self.blocks = block_stack(
            c.decoder_block, c.decoder_channels, c.decoder_blocks, causal=True
        )
        self.head = self.new_head(c.decoder_channels)
        self.evaluations = self.head.evaluations * c.frame_size**2
        self.uniforms_per_pixel = self.head.uniforms_per_pixel

    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        return self._distribution(frame, self._condition(features), centre).log_prob(frame)

    def sample(
        self,
        features: Tensor,
        centre: Tensor | None,
        uniforms: Tensor,
        temperature: float = 1.0,
        order: Literal["wavefront", "raster"] = "wavefront",
    ) -> tuple[Tensor, Tensor]:
        conditioning = self._condition(features)
        batch, _, height, width = conditioning.shape
        in_order = wavefront_order if order == "wavefront" else raster_order
        enter = ConvolutionCache(self.enter, batch, height, width)
        caches = BlockCaches(self.blocks, batch, height, width)
        frame = self._empty_frame(uniforms)
        score = torch.zeros_like(uniforms[:, 0])
        for here in in_order(height, width, uniforms.device):
            at = (slice(None), slice(None), here.rows, here.columns)
            hidden = _as_rows(conditioning[at]) + enter.read(here)
            hidden = F.silu(caches(hidden, here))
            shaped = hidden.unflatten(0, (batch, -1)).transpose(1, 2)[:, :, None]
            near = None if centre is None else centre[at][:, :, None]
            distribution = self.head(shaped, near)
            pixels = distribution.sample(uniforms[at][:, :, None], temperature)
            score[:, here.rows, here.columns] = distribution.log_prob(pixels)[:, 0]
            frame[at] = pixels[:, :, 0]
            # Mask A: the first layer reads its neighbours before the new pixels are stored.
            enter.write(_as_rows(self._inputs(pixels, near)[:, :, 0]), here)
        return frame, score

    def sample_plain(
        self,
        features: Tensor,
        centre: Tensor | None,
        uniforms: Tensor,
        temperature: float = 1.0,
        steps: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Sample with a full pass for every sub-pixel: the obvious sampler.

        steps: stop after this many passes, for timing."""
        conditioning = self._condition(features)
        frame = self._empty_frame(uniforms)
        height, width = frame.shape[-2:]
        left = frame[0].numel() if steps is None else steps
        for row in range(height):
            for column in range(width):
                for channel in range(self.head.evaluations):
                    if left == 0:
                        return frame, torch.zeros_like(uniforms[:, 0])
                    sampled = self._distribution(frame, conditioning, centre).sample(
                        uniforms, temperature
                    )
                    # A head of one evaluation samples all channels of a pixel at once.
                    known = slice(channel, None if self.head.evaluations == 1 else channel + 1)
                    frame[:, known, row, column] = sampled[:, known, row, column]
                    left -= 1
        return frame, self._distribution(frame, conditioning, centre).log_prob(frame)

    def _condition(self, features: Tensor) -> Tensor:
        return self.condition(self.resize(features))

    def _empty_frame(self, uniforms: Tensor) -> Tensor:
        shape = (len(uniforms), self.config.colours, *uniforms.shape[2:])
        return torch.zeros(shape, dtype=torch.uint8, device=uniforms.device)

    def _inputs(self, frame: Tensor, centre: Tensor | None) -> Tensor:
        values = to_unit(frame)
        return values if centre is None else torch.cat((values, innovation(frame, centre)), dim=1)

    def _distribution(
        self, frame: Tensor, conditioning: Tensor, centre: Tensor | None
    ) -> PixelDistribution:
        inputs = self._inputs(frame, centre)
        hidden = F.silu(self.blocks(conditioning + self.enter(inputs)))
        return self.head(hidden, centre)


def _as_rows(values: Tensor) -> Tensor:
    """(N, D, P positions) -> (N * P, D), the caches' layout."""
    return values.transpose(1, 2).flatten(0, 1)


class FullPass(PartialSampler):
    """The obvious sampler: a full pass of the network per sub-pixel.

    >>> FullPass().reference
    True
    """

    name = "plain"
    words = ", a full pass per sub-pixel"
    reference = True

    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        return model.decoder.evaluations

    def step(self, model: VideoPixelNetwork, batch: int, precision: str, graph: str) -> Step:
        return plain_step(model, precision, _decoder(model).sample_plain)

    def sample_steps(
        self,
        model: VideoPixelNetwork,
        features: Tensor,
        centre: Tensor | None,
        uniforms: Tensor,
        steps: int,
    ) -> None:
        _decoder(model).sample_plain(features, centre, uniforms, steps=steps)


class PixelByPixel(Sampler):
    """One pixel at a time from cached activations.

    >>> PixelByPixel().one_frame
    True
    """

    name = "cached"
    words = ", cached, pixel by pixel"
    one_frame = True

    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        return model.config.frame_size**2

    def step(self, model: VideoPixelNetwork, batch: int, precision: str, graph: str) -> Step:
        return plain_step(model, precision, partial(_decoder(model).sample, order="raster"))


class Wavefront(WholeFrame):
    """All pixels that cannot see each other at once, from cached activations.

    >>> Wavefront().words
    ', cached, wavefront'
    """

    name = "wavefront"
    words = ", cached, wavefront"

    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        return len(wavefront_order(model.config.frame_size, model.config.frame_size))


def _decoder(model: VideoPixelNetwork) -> OTNDecoder:
    assert isinstance(model.decoder, OTNDecoder)
    return model.decoder


KIND = VideoKind(
    name="otn",
    label="O(TN) VPN",
    complexity="O(TN)",
    decoder=OTNDecoder,
    distribution="softmax",
    samplers=(FullPass(), PixelByPixel(), Wavefront()),
    paper={"distribution": "softmax", "decoder_channels": 256, "decoder_blocks": 12},
    variants={"dilated": {"encoder_dilation": 8}},
    ours=(
        "the head: a hidden layer of 256 for each colour",
        "training: Reed et al. 2017's of their own models",
    ),
    gpu={"distribution": "logistic", "decoder_blocks": 6},
    # Eight blocks bring it nearer to the other small kinds: 0.5M weights.
    small={"distribution": "logistic", "decoder_blocks": 8},
)
