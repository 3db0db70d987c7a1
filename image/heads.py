"""Heads: the last layers of a network, from features to a pixel distribution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.distributions import (
    Bernoulli,
    IndependentLogisticMixture,
    LogisticMixture,
    PixelDistribution,
    parameters_per_pixel,
    pick,
)
from pixelpush.image.layers import Layers
from pixelpush.image.pixels import LEVELS


class Head(nn.Module):
    """features (N, D, H, W) [, centre (N, C, H, W) in levels] -> PixelDistribution over (N, C, H,
    W).

    uniforms_per_pixel: how many uniform numbers one pixel's sample takes. evaluations: small
    sequential steps one sample takes (1: all channels at once; C: channel after channel)."""

    uniforms_per_pixel: int
    evaluations: int

    def forward(self, features: Tensor, centre: Tensor | None = None) -> PixelDistribution:
        raise NotImplementedError


class LogisticMixtureHead(Head):
    """1x1 convolution to a coupled discretized logistic mixture."""

    def __init__(self, features: int, colours: int = 3, components: int = 10):
        super().__init__()
        self.colours = colours
        self.project = nn.Conv2d(features, parameters_per_pixel(colours, components), 1)
        self.uniforms_per_pixel = 1 + colours
        self.evaluations = 1
        _spread_components(self.project, colours, components)

    def forward(self, features: Tensor, centre: Tensor | None = None) -> LogisticMixture:
        return LogisticMixture(project_float32(self.project, features), self.colours, centre)


class IndependentLogisticMixtureHead(Head):
    """1x1 convolution to one discretized logistic mixture per sub-pixel."""

    def __init__(self, features: int, colours: int = 3, components: int = 10):
        super().__init__()
        self.colours = colours
        self.project = nn.Conv2d(features, colours * parameters_per_pixel(1, components), 1)
        self.uniforms_per_pixel = 2 * colours
        self.evaluations = 1
        for channel in range(colours):
            _spread_components(self.project, 1, components, first=channel * 3 * components)

    def forward(self, features: Tensor, centre: Tensor | None = None) -> IndependentLogisticMixture:
        return IndependentLogisticMixture(
            project_float32(self.project, features), self.colours, centre
        )


class BernoulliHead(Head):
    """1x1 convolution to one logit per sub-pixel."""

    def __init__(self, features: int, colours: int = 1):
        super().__init__()
        self.project = nn.Conv2d(features, colours, 1)
        self.uniforms_per_pixel = colours
        self.evaluations = 1

    def forward(self, features: Tensor, centre: Tensor | None = None) -> Bernoulli:
        return Bernoulli(project_float32(self.project, features))


class ChannelSoftmaxHead(Head):
    """256-way softmax per sub-pixel; G sees R, B sees R and G (van den Oord et al. 2016, section
    3.3).

    The features must not see the pixel's own colours; the earlier ones enter here, through one
    table of 256 rows per ordered pair of channels (a 1x1 convolution of the one-hot value), so that
    sampling runs the trunk once and only this head C times. With a centre, its own value enters
    each channel in the same way. With coupled=False the channels ignore each other."""

    def __init__(
        self,
        features: int,
        colours: int = 3,
        hidden: int = 256,
        centred: bool = False,
        coupled: bool = True,
    ):
        super().__init__()
        self.colours = colours
        self.hidden = Layers(nn.Conv2d(features, hidden, 1) for _ in range(colours))
        self.logits = Layers(nn.Conv2d(hidden, LEVELS, 1) for _ in range(colours))
        pairs = colours * (colours - 1) // 2 if coupled else 0
        self.earlier = Layers(nn.Embedding(LEVELS, hidden) for _ in range(pairs))
        # The centre's value and, relative to it, a learned profile over the 511 possible
        # differences.
        self.centre = Layers(nn.Embedding(LEVELS, hidden) for _ in range(colours if centred else 0))
        self.profile = nn.Parameter(_laplace_profile(colours)) if centred else None
        for table in [*self.earlier, *self.centre]:
            nn.init.normal_(table.weight, std=0.02)
        for layer in self.logits:
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.uniforms_per_pixel = colours
        self.evaluations = colours if coupled else 1

    def forward(self, features: Tensor, centre: Tensor | None = None) -> ChannelSoftmax:
        if (centre is None) != (self.profile is None):
            raise InputError(
                "a softmax head takes a centre image exactly if it was built with centred=True."
            )
        return ChannelSoftmax(self, features, centre)

    def channel_logits(
        self, features: Tensor, channel: int, earlier: list[Tensor], centre: Tensor | None
    ) -> Tensor:
        """float32 logits (N, 256, H, W) of one channel given the earlier channels (N, H, W)
        uint8."""
        hidden = self.hidden[channel](features)
        first = channel * (channel - 1) // 2
        for table, value in zip(self.earlier[first : first + channel], earlier, strict=False):
            hidden = hidden + _look_up(table, value)
        if centre is not None:
            hidden = hidden + _look_up(self.centre[channel], centre[:, channel])
        logits = project_float32(self.logits[channel], F.relu(hidden))
        if centre is not None and self.profile is not None:
            levels = torch.arange(LEVELS, device=logits.device)[:, None, None]
            difference = levels - centre[:, channel, None].long() + LEVELS - 1
            logits = logits + self.profile[channel].float()[difference]
        return logits


class ChannelSoftmax(PixelDistribution):
    """The distribution that ``ChannelSoftmaxHead`` returns: logits are computed channel by channel
    on demand."""

    def __init__(self, head: ChannelSoftmaxHead, features: Tensor, centre: Tensor | None):
        self.head, self.features = head, features
        self.centre = (
            None if centre is None else centre.float().round().clamp(0, LEVELS - 1).to(torch.uint8)
        )
        self.uniforms_per_pixel = head.colours

    def _logits(self, channel: int, earlier: list[Tensor]) -> Tensor:
        return self.head.channel_logits(self.features, channel, earlier, self.centre)

    def log_prob(self, pixels: Tensor) -> Tensor:
        values = list(pixels.unbind(1))
        total = torch.zeros_like(values[0], dtype=torch.float32)
        for channel, value in enumerate(values):
            total = total - F.cross_entropy(
                self._logits(channel, values), value.long(), reduction="none"
            )
        return total

    def sample(self, uniforms: Tensor, temperature: float = 1.0) -> Tensor:
        values: list[Tensor] = []
        for channel in range(self.head.colours):
            cumulative = torch.softmax(self._logits(channel, values) / temperature, dim=1).cumsum(
                dim=1
            )
            values.append(
                pick(cumulative, uniforms[:, channel : channel + 1])[:, 0].to(torch.uint8)
            )
        return torch.stack(values, dim=1)

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        values = list(earlier[:, :channel].unbind(1))
        return torch.softmax(self._logits(channel, values), dim=1)


def make_head(
    kind: str,
    features: int,
    colours: int,
    components: int = 10,
    hidden: int = 256,
    centred: bool = False,
) -> Head:
    """A head by name: 'softmax', 'logistic', either with 'independent-' before it, or
    'bernoulli'."""
    if kind in ("softmax", "independent-softmax"):
        return ChannelSoftmaxHead(features, colours, hidden, centred, coupled=kind == "softmax")
    if kind == "logistic":
        return LogisticMixtureHead(features, colours, components)
    if kind == "independent-logistic":
        return IndependentLogisticMixtureHead(features, colours, components)
    if kind == "bernoulli":
        return BernoulliHead(features, colours)
    raise InputError(
        f"unknown pixel distribution {kind!r}; choose softmax, logistic, independent-softmax, "
        "independent-logistic or bernoulli."
    )


def project_float32(layer: nn.Conv2d, features: Tensor) -> Tensor:
    """Apply a 1x1 convolution in float32 whatever autocast says: its outputs are distribution
    parameters."""
    with torch.autocast(features.device.type, enabled=False):
        # A matrix product: on a CPU many times faster than a 1x1 convolution in float32. It also
        # leaves every parameter's map contiguous, as distributions want it.
        flat = features.float().flatten(2)
        weight = layer.weight.float().flatten(1).expand(len(flat), -1, -1)
        assert layer.bias is not None
        return torch.baddbmm(layer.bias.float()[:, None], weight, flat).unflatten(
            2, features.shape[2:]
        )


def _look_up(table: nn.Embedding, value: Tensor) -> Tensor:
    return table(value.long()).permute(0, 3, 1, 2)


def _laplace_profile(colours: int) -> Tensor:
    """Start from 'near the centre': log-density falling with the distance in levels."""
    difference = torch.arange(-(LEVELS - 1), LEVELS).float()
    return (-torch.log1p(difference.abs() / 2) * 2).repeat(colours, 1)


@torch.no_grad()
def _spread_components(layer: nn.Conv2d, colours: int, components: int, first: int = 0) -> None:
    """Start with small weights and components of different widths (1 to 60 levels), so that none
    starts dead."""
    assert layer.bias is not None
    size = parameters_per_pixel(colours, components)
    layer.weight[first : first + size].normal_(std=0.01)
    layer.bias[first : first + size].zero_()
    widths = torch.linspace(-4.8, -1.0, components)
    scales = layer.bias[first + (1 + colours) * components : first + (1 + 2 * colours) * components]
    scales.copy_(widths.repeat(colours))
