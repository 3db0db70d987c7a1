"""Distributions over 8-bit pixels. Every one of them computes in float32 and answers in nats.

A network's head returns a distribution object. ``log_prob(pixels)`` scores uint8 images (N, C, H,
W). ``sample(uniforms)`` draws them by inverse CDF from uniform numbers in [0, 1). The caller draws
the numbers, so that each sample can have a generator of its own. Sampler and score share the same
bins."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelpush.image.inverse_cdf import pick, pick_tempered, running_sum
from pixelpush.image.pixels import HALF_BIN, LEVELS, from_unit, to_unit
from pixelpush.image.tempered import Logistics, draw_tempered, is_quick, probabilities

MIN_LOG_SCALE = -7.0
# A logistic e^7 times wider than the range is flat; the ceiling keeps exp(-log_scale) away from
# zero.
MAX_LOG_SCALE = 7.0


class PixelDistribution(ABC):
    """A distribution over images (N, C, H, W) that is independent over pixels.

    Channels of a pixel may depend on each other.

    >>> distribution = LogisticMixture(torch.zeros(1, 3, 2, 2), colours=1)
    >>> distribution.log_prob(torch.zeros(1, 1, 2, 2, dtype=torch.uint8)).shape
    torch.Size([1, 2, 2])
    """

    uniforms_per_pixel: int

    @abstractmethod
    def log_prob(self, pixels: Tensor) -> Tensor:
        """Nats per pixel (N, H, W), summed over channels, of uint8 images (N, C, H, W)."""

    def sample(self, uniforms: Tensor, temperature: float = 1.0) -> Tensor:
        """uint8 images (N, C, H, W) from uniforms (N, ``uniforms_per_pixel``, H, W) in [0, 1).

        temperature: T, the same for every distribution: each sub-pixel is drawn from p^(1/T),
        renormalised over its 256 levels, where p is its distribution given the pixel's earlier
        channels. 1 is the distribution itself; 0 takes the likeliest level. The image as a whole
        is not drawn from its probability's power: that would need sums over all later
        sub-pixels."""
        if temperature == 1:
            return self.draw(uniforms)
        return self.draw_tempered(uniforms, temperature)

    def draw_tempered(self, uniforms: Tensor, temperature: float) -> Tensor:
        """``sample`` at another temperature, by tables of all 256 levels: the definition.

        A subclass may find the same levels faster."""
        pixels = torch.zeros_like(uniforms[:, :0], dtype=torch.uint8)
        for channel, numbers in enumerate(self.level_uniforms(uniforms).split(1, dim=1)):
            # The power is 1/T.
            # Powers below 1 lift small probabilities, which must then be exact; above, the quicker
            # table does.
            scores = (
                self.channel_probabilities(channel, pixels).log()
                if temperature < 1
                else self.channel_log_probabilities(channel, pixels)
            )
            level = pick_tempered(scores, numbers, temperature).to(torch.uint8)
            pixels = torch.cat((pixels, level), dim=1)
        return pixels

    @abstractmethod
    def draw(self, uniforms: Tensor) -> Tensor:
        """``sample`` at temperature 1."""

    def level_uniforms(self, uniforms: Tensor) -> Tensor:
        """Return those of the uniforms, (N, C, H, W), that choose the levels of the channels."""
        return uniforms

    def expected_error(self, pixels: Tensor) -> Tensor:
        """Return E |X - x|, levels (N, H, W), the mean over channels.

            mean over c of sum over levels l of p(l | earlier channels of x) |l - x_c|

        pixels: x, uint8 (N, C, H, W), the truth; X: a sample of each sub-pixel given the true
        earlier channels."""
        levels = torch.arange(LEVELS, device=pixels.device)[:, None, None]
        errors = []
        for channel in range(pixels.shape[1]):
            distance = (levels - pixels[:, channel, None].float()).abs()
            errors.append((self.channel_probabilities(channel, pixels) * distance).sum(dim=1))
        return torch.stack(errors).mean(dim=0)

    @abstractmethod
    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        """``channel_probabilities`` in nats, up to a constant; exact for small ones too."""

    @abstractmethod
    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        """Return the probabilities float32 (N, 256, H, W) of every level of ``channel``.

        earlier: the earlier channels' values, uint8 (N, >= channel, H, W). Over the channels, the
        logarithms at the pixels' own values sum to ``log_prob``, up to float32 rounding (absolute,
        about 1e-7)."""


def parameters_per_pixel(colours: int, components: int) -> int:
    """Return how many outputs a coupled ``LogisticMixture`` needs for one pixel: 10 K for RGB.

    C colours need K (1 + 2 C + C (C - 1) / 2): logits, means and log-scales, and coefficients.

    >>> parameters_per_pixel(3, 10)
    100
    """
    return components * (1 + 2 * colours + colours * (colours - 1) // 2)


def discretized_logistic(level: Tensor, distance: Tensor, log_scale: Tensor) -> Tensor:
    """Return the log-probability of a level's bin under a logistic (Salimans et al. 2017, eq. 2).

        log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a))
        a = (x - m + 1/255) / s,   b = (x - m - 1/255) / s,   b - a = -(2/255) / s

    The right side has no subtraction of near-equal numbers: it is exact for all magnitudes, needs
    no fallback for small masses, and all its terms are finite. Level 0 takes the whole lower tail
    (b = -infinity), 255 the upper one (a = infinity). level: uint8. distance: x - m, the level's
    value minus the mean, in [-1, 1] units. log_scale: log s.

    >>> levels = torch.arange(256).byte()
    >>> distances = levels / 127.5 - 1.0
    >>> scores = discretized_logistic(levels, distances, torch.tensor(-2.0))
    >>> round(float(scores.exp().sum()), 4)
    1.0
    """
    # sigmoid(-b) with -b = (m - x + 1/255) / s; 1 - exp(b - a) by expm1, exact for narrow widths.
    inverse_scale = torch.exp(-log_scale)
    below_upper = F.logsigmoid((distance + HALF_BIN) * inverse_scale)
    above_lower = F.logsigmoid((HALF_BIN - distance) * inverse_scale)
    width = torch.log(-torch.expm1(-2 * HALF_BIN * inverse_scale))
    # Factors of 0 and 1: all three terms are finite, and a product is much cheaper than ``where``
    # on a CPU.
    below_highest = (level < LEVELS - 1).float()
    above_lowest = (level > 0).float()
    return (
        below_upper * below_highest
        + above_lower * above_lowest
        + width * (below_highest * above_lowest)
    )


class LogisticMixture(PixelDistribution):
    """A mixture of K discretized logistics per pixel (Salimans et al. 2017, eq. 2-3).

        p(r, g, b) = sum over k of
            w_k P(r | m_r, s_r) P(g | m_g + a r, s_g) P(b | m_b + c r + d g, s_b)

    with all of m, s, a, c, d of component k, and P as in ``discretized_logistic``. One component is
    chosen per pixel and shared by its channels.

    parameters: (N, K (1 + 2C + C(C-1)/2), H, W) laid out as mixture logits K, means C K, log-scales
    C K, coefficients K C(C-1)/2 (for RGB: a, c, d before tanh). centre: (N, C, H, W) in levels
    0..255, uint8 or float32, or None. With it, means are differences from this image's same
    sub-pixel and the coefficients act on differences from it; None is the published form.

    Bins are half a level to each side of a level; 0 and 255 take the whole tail, so that the 256
    probabilities sum to 1.

    >>> mixture = LogisticMixture(torch.zeros(1, 20, 2, 2), colours=3)
    >>> mixture.sample(torch.full((1, 4, 2, 2), 0.5))[0, 0].tolist()
    [[128, 128], [128, 128]]
    """

    def __init__(self, parameters: Tensor, colours: int, centre: Tensor | None = None):
        per_component = parameters_per_pixel(colours, 1)
        # ``unbind`` once: its backward pass is one stack, where slices would each fill and add a
        # whole tensor.
        parts = rearrange(parameters.float(), "n (p k) h w -> n p k h w", p=per_component).unbind(1)
        self.logits = parts[0]
        self.means = parts[1 : 1 + colours]
        self.log_scales = [
            part.clamp(MIN_LOG_SCALE, MAX_LOG_SCALE)
            for part in parts[1 + colours : 1 + 2 * colours]
        ]
        self.coefficients = [torch.tanh(part) for part in parts[1 + 2 * colours :]]
        self.colours = colours
        self.centre = None if centre is None else centre.float() / 127.5 - 1.0
        self.uniforms_per_pixel = 1 + colours

    def _mean(self, channel: int, values: list[Tensor]) -> Tensor:
        """Mean (N, K, H, W) of one channel given the earlier channels' values, each (N, H, W) in
        [-1, 1]."""
        mean = self.means[channel]
        # Coefficients are stored as the pairs (G, R), (B, R), (B, G): channel c has c of them.
        first = channel * (channel - 1) // 2
        for earlier, value in enumerate(values[:channel]):
            if self.centre is not None:
                value = value - self.centre[:, earlier]
            mean = mean + self.coefficients[first + earlier] * value[:, None]
        return mean if self.centre is None else mean + self.centre[:, channel, None]

    def log_prob(self, pixels: Tensor) -> Tensor:
        values = list(to_unit(pixels).unbind(1))
        # log p = logsumexp over k of (log w_k + sum over channels of log P_k)
        total = torch.log_softmax(self.logits, dim=1)
        for channel, value in enumerate(values):
            distance = value[:, None] - self._mean(channel, values)
            log_scale = self.log_scales[channel]
            total = total + discretized_logistic(pixels[:, channel, None], distance, log_scale)
        return torch.logsumexp(total, dim=1)

    def expected_error(self, pixels: Tensor) -> Tensor:
        # In closed form, of the logistics before they are cut into bins and clipped to the range:
        # E |X - x| = d + 2 s log(1 + exp(-d / s)), d = |m - x|. The components are weighed as
        # before any channel is known.
        values = list(to_unit(pixels).unbind(1))
        total = torch.zeros_like(self.logits)
        for channel, value in enumerate(values):
            distance = (value[:, None] - self._mean(channel, values)).abs()
            scale = self.log_scales[channel].exp()
            total = total + distance + 2 * scale * F.softplus(-distance / scale)
        weights = torch.softmax(self.logits, dim=1)
        # No error is larger than the range.
        return 127.5 * (weights * (total / self.colours).clamp(max=2)).sum(dim=1)

    def draw(self, uniforms: Tensor) -> Tensor:
        cumulative = running_sum(torch.softmax(self.logits, dim=1))
        component = pick(cumulative, uniforms[:, :1])
        values = []
        pixels = []
        for channel in range(self.colours):
            mean = self._mean(channel, values).gather(1, component)[:, 0]
            log_scale = self.log_scales[channel].gather(1, component)[:, 0]
            # float32 uniforms can be exactly 0, whose quantile is minus infinity: from_unit sends
            # it to level 0.
            # A logistic has the quantile m + s log(u / (1 - u)).
            noise = torch.logit(uniforms[:, 1 + channel])
            pixels.append(from_unit(mean + log_scale.exp() * noise))
            values.append(to_unit(pixels[-1]))  # quantised before anything conditions on it
        return torch.stack(pixels, dim=1)

    def level_uniforms(self, uniforms: Tensor) -> Tensor:
        return uniforms[:, 1:]  # the first chooses the component

    def _given(self, channel: int, earlier: Tensor) -> tuple[Tensor, Tensor]:
        """(log-weights, means), (N, K, H, W) each, of one channel given the earlier ones."""
        values = list(to_unit(earlier[:, :channel]).unbind(1))
        # Bayes: w_k becomes w_k times the product of P_k(value) over the earlier channels,
        # normalised.
        total = torch.log_softmax(self.logits, dim=1)
        for index, value in enumerate(values):
            distance = value[:, None] - self._mean(index, values)
            log_scale = self.log_scales[index]
            total = total + discretized_logistic(earlier[:, index, None], distance, log_scale)
        return torch.log_softmax(total, dim=1), self._mean(channel, values)

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        log_weights, mean = self._given(channel, earlier)
        levels = torch.arange(LEVELS, device=mean.device)[:, None, None].to(torch.uint8)
        # Component by component: all at once would hold K tables.
        found = None
        for component in range(mean.shape[1]):
            one = slice(component, component + 1)
            distance = to_unit(levels) - mean[:, one]
            scores = discretized_logistic(levels, distance, self.log_scales[channel][:, one])
            scores = scores + log_weights[:, one]
            found = scores if found is None else torch.logaddexp(found, scores)
        assert found is not None
        return found

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        log_weights, mean = self._given(channel, earlier)
        return probabilities(Logistics.in_units(log_weights.exp(), mean, self.log_scales[channel]))

    def draw_tempered(self, uniforms: Tensor, temperature: float) -> Tensor:
        if not is_quick(uniforms, temperature):
            return super().draw_tempered(uniforms, temperature)
        total = torch.log_softmax(self.logits, dim=1)
        values: list[Tensor] = []
        pixels: list[Tensor] = []
        for channel, numbers in enumerate(self.level_uniforms(uniforms).split(1, dim=1)):
            mean = self._mean(channel, values)
            log_scale = self.log_scales[channel]
            weights = torch.log_softmax(total, dim=1).exp()
            mixture = Logistics.in_units(weights, mean, log_scale)
            pixels.append(draw_tempered(mixture, numbers, temperature).to(torch.uint8))
            value = to_unit(pixels[-1])
            values.append(value[:, 0])
            # As in ``_given``, one channel at a time.
            total = total + discretized_logistic(pixels[-1], value - mean, log_scale)
        return torch.cat(pixels, dim=1)


class IndependentLogisticMixture(PixelDistribution):
    """One mixture per sub-pixel: channels ignore each other (the O(T) baseline of Table 2).

    parameters: (N, C 3K, H, W). centre as in ``LogisticMixture``.

    >>> mixture = IndependentLogisticMixture(torch.zeros(1, 18, 2, 2), colours=3)
    >>> mixture.log_prob(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, parameters: Tensor, colours: int, centre: Tensor | None = None):
        self.colours = colours
        self.uniforms_per_pixel = 2 * colours
        # Channels are folded into the batch: each is an image of one colour.
        folded = rearrange(parameters, "n (c p) h w -> (n c) p h w", c=colours)
        self._folded = LogisticMixture(folded, 1, None if centre is None else self._fold(centre))
        self._parameters = parameters
        self._centre = centre

    @staticmethod
    def _fold(image: Tensor) -> Tensor:
        return rearrange(image, "n c h w -> (n c) 1 h w")

    def log_prob(self, pixels: Tensor) -> Tensor:
        return rearrange(
            self._folded.log_prob(self._fold(pixels)), "(n c) h w -> n c h w", c=self.colours
        ).sum(1)

    def expected_error(self, pixels: Tensor) -> Tensor:
        error = self._folded.expected_error(self._fold(pixels))
        return rearrange(error, "(n c) h w -> n c h w", c=self.colours).mean(1)

    def draw(self, uniforms: Tensor) -> Tensor:
        folded = rearrange(uniforms, "n (c u) h w -> (n c) u h w", c=self.colours)
        return rearrange(self._folded.draw(folded), "(n c) 1 h w -> n c h w", c=self.colours)

    def draw_tempered(self, uniforms: Tensor, temperature: float) -> Tensor:
        folded = rearrange(uniforms, "n (c u) h w -> (n c) u h w", c=self.colours)
        drawn = self._folded.draw_tempered(folded, temperature)
        return rearrange(drawn, "(n c) 1 h w -> n c h w", c=self.colours)

    def level_uniforms(self, uniforms: Tensor) -> Tensor:
        # A channel has two numbers: the first chooses its component, the second its level.
        return uniforms[:, 1::2]

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self._own(channel).channel_log_probabilities(0, earlier)

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self._own(channel).channel_probabilities(0, earlier)

    def _own(self, channel: int) -> LogisticMixture:
        """One channel's distribution alone."""
        own = self._parameters.unflatten(1, (self.colours, -1))[:, channel]
        centre = None if self._centre is None else self._centre[:, channel : channel + 1]
        return LogisticMixture(own, 1, centre)
