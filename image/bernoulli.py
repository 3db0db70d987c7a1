"""The distribution of binary pixels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.pixels import LEVELS


class Bernoulli(PixelDistribution):
    """Binary pixels, stored as 0 and 255 (binary MNIST).

        p(255) = sigmoid(logit)

    logits: (N, C, H, W). Other pixel values are off the support: their log-probability is minus
    infinity.

    >>> Bernoulli(torch.zeros(1, 1, 1, 2)).log_prob(torch.tensor([[[[255, 7]]]], dtype=torch.uint8))
    tensor([[[-0.6931,    -inf]]])
    """

    def __init__(self, logits: Tensor):
        self.logits = logits.float()
        self.uniforms_per_pixel = logits.shape[1]

    def log_prob(self, pixels: Tensor) -> Tensor:
        score = torch.where(pixels >= 128, F.logsigmoid(self.logits), F.logsigmoid(-self.logits))
        off_support = (pixels != 0) & (pixels != LEVELS - 1)
        return torch.where(off_support, -math.inf, score).sum(dim=1)

    def draw(self, uniforms: Tensor) -> Tensor:
        white = uniforms < torch.sigmoid(self.logits)
        return white.to(torch.uint8) * 255

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        logit = self.logits[:, channel]
        table = logit.new_full((len(logit), LEVELS, *logit.shape[1:]), -math.inf)
        table[:, 0] = F.logsigmoid(-logit)
        table[:, LEVELS - 1] = F.logsigmoid(logit)
        return table

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        white = torch.sigmoid(self.logits[:, channel])
        table = white.new_zeros(len(white), LEVELS, *white.shape[1:])
        table[:, 0] = torch.sigmoid(-self.logits[:, channel])
        table[:, LEVELS - 1] = white
        return table
