"""Convolutional DRAW (Gregor et al. 2016): a recurrent VAE that paints a canvas in several steps.

At every step t an encoder looks at the image, at what the canvas misses of it and at the decoder's
state; latents z_t are drawn from its posterior, the decoder reads them and adds to the canvas.

    bound = log p(x | canvas) - sum over t of KL(q(z_t | x, z_<t) || p(z_t | z_<t))

The score is this bound for one draw of the latents. The image's own bytes seed the draw. The
likelihood itself has no closed form. Sampling takes ``steps`` passes of the decoder, whatever the
size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.conditioning import Condition, ConditionEncoder
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import ImageKind, ImagePreset
from pixelpush.image.model import ImageModel
from pixelpush.image.noise import own_uniforms
from pixelpush.image.pixels import to_unit
from pixelpush.image.real_nvp import normal_from

_STRIDE = 4  # a latent's side in pixels
# Log standard deviations are kept within this of 0.
_LOG_RANGE = 6.0


@dataclass(frozen=True)
class ConvDrawConfig(ImageConfig):
    """Sizes of a Convolutional DRAW.

    channels: of both recurrent networks. latents: channels of z at every step. steps: how often the
    canvas is painted. canvas: its channels.

    >>> ConvDrawConfig("conv-draw").steps
    8
    """

    channels: int = 96
    latents: int = 8
    steps: int = 8
    canvas: int = 32

    def __post_init__(self):
        if self.image_size % _STRIDE:
            raise InputError(f"conv-draw: image_size must be a multiple of {_STRIDE}.")
        super().__post_init__()


class ConvCell(nn.Module):
    """A convolutional LSTM cell; its state is (hidden, memory), each (N, channels, H, W).

    >>> cell = ConvCell(inputs=2, channels=4)
    >>> state = (torch.zeros(1, 4, 3, 3), torch.zeros(1, 4, 3, 3))
    >>> cell(torch.zeros(1, 2, 3, 3), state)[0].shape
    torch.Size([1, 4, 3, 3])
    """

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.gates = nn.Conv2d(inputs + channels, 4 * channels, 3, padding=1)

    def forward(self, inputs: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        hidden, memory = state
        gates = self.gates(torch.cat([inputs, hidden], dim=1))
        forget_gate, input_gate, output_gate, candidate = gates.chunk(4, dim=1)
        # c' = sigmoid(f + 1) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c'). The 1 lets a new
        # cell keep most of its memory.
        kept = torch.sigmoid(forget_gate + 1) * memory
        memory = kept + torch.sigmoid(input_gate) * torch.tanh(candidate)
        return torch.sigmoid(output_gate) * torch.tanh(memory), memory


@dataclass(frozen=True)
class Normal:
    """A diagonal normal distribution over latents. mean, log_deviation: (N, Z, h, w).

    >>> one = Normal(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1))
    >>> one.divergence(one).item()
    0.0
    """

    mean: Tensor
    log_deviation: Tensor

    @classmethod
    def of(cls, parameters: Tensor) -> Normal:
        mean, log_deviation = parameters.float().chunk(2, dim=1)
        return cls(mean, _LOG_RANGE * torch.tanh(log_deviation / _LOG_RANGE))

    def at(self, noise: Tensor) -> Tensor:
        """The latents mean + deviation * noise, for standard normal ``noise``."""
        return self.mean + self.log_deviation.exp() * noise

    def log_prob(self, latents: Tensor) -> Tensor:
        """Log density, elementwise."""
        scaled = (latents - self.mean) * (-self.log_deviation).exp()
        return -0.5 * (scaled.square() + math.log(2 * math.pi)) - self.log_deviation

    def divergence(self, other: Normal) -> Tensor:
        """KL(self || other), elementwise."""
        # KL(N(m, s) || N(m', s')) = ((s / s')^2 + ((m - m') / s')^2 - 1) / 2 - log s + log s'
        ratio = (2 * (self.log_deviation - other.log_deviation)).exp()
        moved = ((self.mean - other.mean) * (-other.log_deviation).exp()).square()
        return 0.5 * (ratio + moved - 1) - self.log_deviation + other.log_deviation


class ConvDraw(ImageModel):
    """The recurrent VAE.

    ``log_prob`` of a pixel is its reconstruction term minus a 16th of the divergence at its place:
    a latent covers 4x4 pixels.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("conv-draw", image_size=8, channels=4, latents=2, steps=2)
    >>> model.log_prob(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 8, 8])
    """

    config: ConvDrawConfig

    def __init__(self, config: ConvDrawConfig):
        super().__init__(config)
        c = config
        self.head = self.new_head(c.canvas)
        # Normal numbers that every pixel carries. The 16 pixels under a latent hold the numbers of
        # all its steps and channels; some may be left over.
        self.noises = -(-c.steps * c.latents // _STRIDE**2)
        self.uniforms_per_pixel = self.head.uniforms_per_pixel + self.noises
        self.encoder = ConditionEncoder(self.conditioning)
        beside = self.conditioning.out_channels
        # The image, and what the canvas shows, cut to the latents' grid.
        seen = 2 * c.colours * _STRIDE**2
        self.look = ConvCell(seen + c.channels + beside, c.channels)
        self.posterior = nn.Conv2d(c.channels, 2 * c.latents, 3, padding=1)
        self.prior = nn.Conv2d(c.channels + beside, 2 * c.latents, 3, padding=1)
        self.paint = ConvCell(c.latents + beside, c.channels)
        self.stroke = nn.Conv2d(c.channels, c.canvas * _STRIDE**2, 3, padding=1)
        self.show = nn.Conv2d(c.canvas, c.colours, 1)
        self.finish = nn.Conv2d(c.canvas, c.canvas, 3, padding=1)

    @property
    def evaluations(self) -> int:
        return self.config.steps + self.head.evaluations

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        noise = normal_from(own_uniforms(images, self.noises))
        return self._bound(images, condition, self._on_grid(noise))

    def training_loss(
        self, images: Tensor, condition: Condition | None = None
    ) -> dict[str, Tensor]:
        """As every model's, with fresh latents at every step."""
        self.check_images(images)
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        images = images.to(self.device)
        side = self.config.image_size // _STRIDE
        shape = (len(images), self.config.steps, self.config.latents, side, side)
        noise = torch.randn(shape, device=self.device)
        nats = self._bound(images, self.conditioning.dropped(condition), noise)
        loss = -nats.mean() / self.config.colours
        return {"loss": loss, "nats_per_subpixel": loss.detach()}

    @torch.no_grad()
    def importance_log_prob(
        self, images: Tensor, samples: int, generator: torch.Generator
    ) -> Tensor:
        """An estimate (N,) of the log-likelihood in nats from so many draws of the latents.

        log of the mean over draws of p(x, z) / q(z | x) (Burda et al. 2016, equation 8): a bound
        too, that tends to the exact score."""
        self.check_images(images)
        condition = self.conditioning.check(None, len(images)).to(self.device)
        side = self.config.image_size // _STRIDE
        shape = (len(images), self.config.steps, self.config.latents, side, side)
        weights = []
        for _ in range(samples):
            noise = torch.randn(shape, generator=generator).to(self.device)
            canvas, terms = self._infer(images.to(self.device), condition, noise)
            ratio = sum(
                (prior.log_prob(latents) - posterior.log_prob(latents)).sum(dim=(1, 2, 3))
                for prior, posterior, latents in terms
            )
            likely = self._pixels(canvas).log_prob(images.to(self.device)).sum(dim=(1, 2))
            weights.append(likely + ratio)
        return torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        """Run ``steps`` passes of the decoder; return images and the nats of ``log_prob``."""
        numbers, noise = uniforms.split([self.head.uniforms_per_pixel, self.noises], dim=1)
        # A temperature narrows the prior of the latents as well as the pixels.
        steps = self._on_grid(normal_from(noise)) * temperature
        beside = self._beside(condition, len(uniforms))
        state, canvas = self._empty(len(uniforms)), self._blank(len(uniforms))
        for step in range(self.config.steps):
            latents = self._prior(state, beside).at(steps[:, step])
            state = self.paint(torch.cat([latents, beside], dim=1), state)
            canvas = canvas + F.pixel_shuffle(self.stroke(state[0]), _STRIDE)
        images = self._pixels(canvas).sample(numbers, temperature)
        return images, self.score(images, condition)

    def _bound(self, images: Tensor, condition: Condition, noise: Tensor) -> Tensor:
        canvas, terms = self._infer(images, condition, noise)
        cost = sum(posterior.divergence(prior).sum(dim=1) for prior, posterior, _ in terms)
        assert isinstance(cost, Tensor)
        # Spread evenly over the 4x4 pixels of a latent, so that the map sums to the bound.
        spread = cost.repeat_interleave(_STRIDE, 1).repeat_interleave(_STRIDE, 2) / _STRIDE**2
        return self._pixels(canvas).log_prob(images) - spread

    def _infer(
        self, images: Tensor, condition: Condition, noise: Tensor
    ) -> tuple[Tensor, list[tuple[Normal, Normal, Tensor]]]:
        """The canvas, and for each step prior, posterior and the latents drawn from it.

        noise: standard normal (N, steps, Z, h, w)."""
        seen = to_unit(images)
        beside = self._beside(condition, len(images))
        looking, state = self._empty(len(images)), self._empty(len(images))
        canvas = self._blank(len(images))
        terms = []
        for step in range(self.config.steps):
            # The canvas shows colours through tanh, in the range of the pixels. The encoder sees
            # what they miss of the image (Gregor et al. 2016, the error image).
            missing = seen - torch.tanh(self.show(canvas))
            views = F.pixel_unshuffle(torch.cat([seen, missing], dim=1), _STRIDE)
            looking = self.look(torch.cat([views, state[0], beside], dim=1), looking)
            posterior = Normal.of(self.posterior(looking[0]))
            prior = self._prior(state, beside)
            latents = posterior.at(noise[:, step])
            terms.append((prior, posterior, latents))
            state = self.paint(torch.cat([latents, beside], dim=1), state)
            canvas = canvas + F.pixel_shuffle(self.stroke(state[0]), _STRIDE)
        return canvas, terms

    def _prior(self, state: tuple[Tensor, Tensor], beside: Tensor) -> Normal:
        return Normal.of(self.prior(torch.cat([state[0], beside], dim=1)))

    def _pixels(self, canvas: Tensor):
        return self.head(F.silu(canvas + self.finish(F.silu(canvas))))

    def _beside(self, condition: Condition, count: int) -> Tensor:
        """The conditioning on the latents' grid, of zero channels where there is none."""
        side = self.config.image_size // _STRIDE
        found = self.encoder(condition).on_grid(side, side)
        return torch.zeros(count, 0, side, side, device=self.device) if found is None else found

    def _empty(self, count: int) -> tuple[Tensor, Tensor]:
        side = self.config.image_size // _STRIDE
        nothing = torch.zeros(count, self.config.channels, side, side, device=self.device)
        return nothing, nothing

    def _blank(self, count: int) -> Tensor:
        side = self.config.image_size
        return torch.zeros(count, self.config.canvas, side, side, device=self.device)

    def _on_grid(self, noise: Tensor) -> Tensor:
        """(N, steps, Z, h, w) from numbers (N, K, H, W), of which the last may be left over."""
        c = self.config
        folded = F.pixel_unshuffle(noise, _STRIDE)[:, : c.steps * c.latents]
        return folded.unflatten(1, (c.steps, c.latents))


# Gregor et al. 2016 give no sizes that could be built; these are ours.
KIND = ImageKind(
    name="conv-draw",
    label="Conv DRAW",
    config=ConvDrawConfig,
    build=ConvDraw,
    distribution="logistic",
    bound=True,
    presets={
        "cifar-small-conv-draw": ImagePreset(
            {"image_size": 32, "channels": 64}, "small", "cifar10"
        ),
        "objects-conv-draw": ImagePreset(
            {"image_size": 32, "channels": 64}, "small", "sim-objects"
        ),
    },
)
