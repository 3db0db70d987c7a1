"""Heads: the last layers of a network, from features to a pixel distribution."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.bernoulli import Bernoulli
from pixelpush.image.distributions import (
    IndependentLogisticMixture,
    LogisticMixture,
    PixelDistribution,
    parameters_per_pixel,
)
from pixelpush.image.inverse_cdf import pick, running_sum
from pixelpush.image.layers import Layers, project_float32
from pixelpush.image.pixels import LEVELS
from pixelpush.image.weight_norm import NormedProjection
from pixelpush.registry import Registry


@dataclass(frozen=True)
class HeadSettings:
    """What a head is built from; each kind of head takes what it needs.

    features: input channels. colours: channels of the image. components: of a logistic mixture.
    hidden: width of the softmax head's hidden layer. centred: whether the distribution describes
    the difference from a given image. normed: whether the output layer is weight-normalised;
    softmax heads, which have one a channel, leave it plain.

    >>> DISTRIBUTIONS.find("logistic").build(HeadSettings(8)).uniforms_per_pixel
    4
    """

    features: int
    colours: int = 3
    components: int = 10
    hidden: int = 256
    centred: bool = False
    normed: bool = False


class Head(nn.Module, ABC):
    """The last layers of a network: features (N, D, H, W) to a distribution over (N, C, H, W).

    coupled: whether the channels of a pixel depend on each other. uniforms_per_pixel: how many
    uniform numbers one pixel's sample takes. evaluations: sequential steps of one sample; 1 where
    all channels come at once, C where they come one after another.

    >>> head = DISTRIBUTIONS.find("softmax").build(HeadSettings(8, hidden=4))
    >>> head(torch.zeros(1, 8, 2, 2)).sample(torch.zeros(1, 3, 2, 2)).shape
    torch.Size([1, 3, 2, 2])
    """

    coupled: ClassVar[bool]
    uniforms_per_pixel: int
    evaluations: int

    @classmethod
    @abstractmethod
    def build(cls, settings: HeadSettings) -> Head:
        """Return a new head."""

    @abstractmethod
    def forward(self, features: Tensor, centre: Tensor | None = None) -> PixelDistribution:
        """Return the distribution; centre: an image (N, C, H, W) in levels 0..255, or None."""


class LogisticMixtureHead(Head):
    """1x1 convolution to a coupled discretized logistic mixture.

    >>> LogisticMixtureHead(8, components=5).project.out_channels
    50
    """

    coupled = True

    @classmethod
    def build(cls, settings: HeadSettings) -> LogisticMixtureHead:
        return cls(settings.features, settings.colours, settings.components, settings.normed)

    def __init__(self, features: int, colours: int = 3, components: int = 10, normed: bool = False):
        super().__init__()
        self.colours = colours
        self.project = _projection(features, parameters_per_pixel(colours, components), normed)
        self.uniforms_per_pixel = 1 + colours
        self.evaluations = 1
        _spread_components(self.project, colours, components)

    def forward(self, features: Tensor, centre: Tensor | None = None) -> LogisticMixture:
        return LogisticMixture(self.project(features), self.colours, centre)


class IndependentLogisticMixtureHead(Head):
    """1x1 convolution to one discretized logistic mixture per sub-pixel.

    >>> IndependentLogisticMixtureHead(8, components=5).project.out_channels
    45
    """

    coupled = False

    @classmethod
    def build(cls, settings: HeadSettings) -> IndependentLogisticMixtureHead:
        return cls(settings.features, settings.colours, settings.components, settings.normed)

    def __init__(self, features: int, colours: int = 3, components: int = 10, normed: bool = False):
        super().__init__()
        self.colours = colours
        self.project = _projection(features, colours * parameters_per_pixel(1, components), normed)
        self.uniforms_per_pixel = 2 * colours
        self.evaluations = 1
        for channel in range(colours):
            _spread_components(self.project, 1, components, first=channel * 3 * components)

    def forward(self, features: Tensor, centre: Tensor | None = None) -> IndependentLogisticMixture:
        return IndependentLogisticMixture(self.project(features), self.colours, centre)


class BernoulliHead(Head):
    """1x1 convolution to one logit per sub-pixel.

    >>> BernoulliHead(8).project.out_channels
    1
    """

    coupled = False

    @classmethod
    def build(cls, settings: HeadSettings) -> BernoulliHead:
        return cls(settings.features, settings.colours, settings.normed)

    def __init__(self, features: int, colours: int = 1, normed: bool = False):
        super().__init__()
        self.project = _projection(features, colours, normed)
        self.uniforms_per_pixel = colours
        self.evaluations = 1

    def forward(self, features: Tensor, centre: Tensor | None = None) -> Bernoulli:
        return Bernoulli(self.project(features))


class ChannelSoftmaxHead(Head):
    """256-way softmax per sub-pixel; G sees R, B sees R and G (van den Oord et al. 2016a, 3.3).

    The features must not contain the pixel's own colours. The earlier ones enter here, through one
    table of 256 rows per ordered pair of channels (a 1x1 convolution of the one-hot value), so that
    sampling runs the trunk once and only this head C times. With a centre, its own value enters
    each channel in the same way. With coupled=False the channels ignore each other.

    >>> ChannelSoftmaxHead(8, hidden=4).evaluations
    3
    """

    coupled = True

    @classmethod
    def build(cls, settings: HeadSettings) -> ChannelSoftmaxHead:
        return cls(settings.features, settings.colours, settings.hidden, settings.centred)

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
        self.logits = Layers(Projection(hidden, LEVELS) for _ in range(colours))
        self.earlier = _tables(colours * (colours - 1) // 2 if coupled else 0, hidden)
        # The centre's value and, relative to it, a learned profile over the 511 possible
        # differences.
        self.centre = _tables(colours if centred else 0, hidden)
        self.profile = nn.Parameter(_near_profile(colours)) if centred else None
        for table in [*self.earlier, *self.centre]:
            nn.init.normal_(table.weight, std=0.02)
        for layer in self.logits:
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
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
        """Return float32 logits (N, 256, H, W) of one channel.

        earlier: the earlier channels' values, uint8 (N, H, W) each."""
        hidden = self.hidden[channel](features)
        # Tables are stored as the pairs (G, R), (B, R), (B, G): channel c has c of them.
        first = channel * (channel - 1) // 2
        for table, value in zip(self.earlier[first : first + channel], earlier, strict=False):
            hidden = hidden + _look_up(table, value)
        if centre is not None:
            hidden = hidden + _look_up(self.centre[channel], centre[:, channel])
        logits = self.logits[channel](F.relu(hidden))
        if centre is not None and self.profile is not None:
            levels = torch.arange(LEVELS, device=logits.device)[:, None, None]
            # Differences -255..255 become the rows 0..510 of the profile.
            difference = levels - centre[:, channel, None].long() + LEVELS - 1
            logits = logits + self.profile[channel].float()[difference]
        return logits


class IndependentSoftmaxHead(ChannelSoftmaxHead):
    """256-way softmax per sub-pixel; the channels ignore each other.

    >>> IndependentSoftmaxHead.build(HeadSettings(8, hidden=4)).evaluations
    1
    """

    coupled = False

    @classmethod
    def build(cls, settings: HeadSettings) -> IndependentSoftmaxHead:
        return cls(
            settings.features, settings.colours, settings.hidden, settings.centred, coupled=False
        )


class ChannelSoftmax(PixelDistribution):
    """The distribution that ``ChannelSoftmaxHead`` returns.

    Logits are computed channel by channel on demand.

    >>> distribution = ChannelSoftmaxHead(8, hidden=4)(torch.zeros(1, 8, 2, 2))
    >>> distribution.log_prob(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, head: ChannelSoftmaxHead, features: Tensor, centre: Tensor | None):
        self.head = head
        self.features = features
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

    def draw(self, uniforms: Tensor) -> Tensor:
        values: list[Tensor] = []
        for channel in range(self.head.colours):
            logits = self._logits(channel, values)
            cumulative = running_sum(torch.softmax(logits, dim=1))
            values.append(
                pick(cumulative, uniforms[:, channel : channel + 1])[:, 0].to(torch.uint8)
            )
        return torch.stack(values, dim=1)

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self._logits(channel, list(earlier[:, :channel].unbind(1)))

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return torch.softmax(self.channel_log_probabilities(channel, earlier), dim=1)


DISTRIBUTIONS: Registry[type[Head]] = Registry(
    "pixel distribution",
    {
        "softmax": ChannelSoftmaxHead,
        "logistic": LogisticMixtureHead,
        "independent-softmax": IndependentSoftmaxHead,
        "independent-logistic": IndependentLogisticMixtureHead,
        "bernoulli": BernoulliHead,
    },
)


class Projection(nn.Conv2d):
    """A 1x1 convolution in float32 whatever autocast says: its outputs are distribution parameters.

    >>> Projection(3, 2)(torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16)).dtype
    torch.float32
    """

    def __init__(self, features: int, outputs: int):
        super().__init__(features, outputs, 1)

    def forward(self, input: Tensor) -> Tensor:
        return project_float32(input, self.weight, self.bias)


def _projection(features: int, outputs: int, normed: bool) -> Projection | NormedProjection:
    return (NormedProjection if normed else Projection)(features, outputs)


def _tables(count: int, width: int) -> Layers[nn.Embedding]:
    return Layers(nn.Embedding(LEVELS, width) for _ in range(count))


def _look_up(table: nn.Embedding, value: Tensor) -> Tensor:
    return table(value.long()).permute(0, 3, 1, 2)


def _near_profile(colours: int) -> Tensor:
    """(C, 511) initial log-densities -2 log(1 + |difference| / 2): near the centre is likelier."""
    # A power law, not an exponential: far levels keep enough mass to be learned.
    difference = torch.arange(-(LEVELS - 1), LEVELS).float()
    return (-torch.log1p(difference.abs() / 2) * 2).repeat(colours, 1)


@torch.no_grad()
def _spread_components(layer: nn.Conv2d, colours: int, components: int, first: int = 0) -> None:
    """Start with small weights and components of different widths (1 to 60 levels), so that none
    starts dead."""
    assert layer.bias is not None
    size = parameters_per_pixel(colours, components)
    if not isinstance(layer, NormedProjection):
        layer.weight[first : first + size].normal_(std=0.01)
    layer.bias[first : first + size].zero_()
    # On the CPU whatever the device: drawn on the meta device it would load SymPy.
    widths = torch.linspace(-4.8, -1.0, components, device="cpu")
    scales = layer.bias[first + (1 + colours) * components : first + (1 + 2 * colours) * components]
    scales.copy_(widths.repeat(colours))
