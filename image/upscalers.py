"""Upscalers: the groups of one scale given the earlier ones (Reed et al. 2017, sections 3.1-3.2, figure 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pixelpush.image.groups import GROUPS, merge_groups, split_groups
from pixelpush.image.heads import Head
from pixelpush.image.layers import block_stack
from pixelpush.image.pixels import innovation, to_unit


class GroupNetwork(nn.Module):
    """Features for one pixel group from the groups already known and the conditioning, all on the group's grid.

    Stacking the known groups as channels of the (H/2, W/2) grid is the K x K -> K x 2K network of figure 3A with its
    merge left to ``merge_groups``. With a centre image, each known group also enters as its difference from it.
    """

    def __init__(self, known: int, conditioning: int, colours: int, channels: int, blocks: int, block: str, head: Head):
        super().__init__()
        self.known, self.colours = known, colours
        inputs = conditioning + 2 * known * colours
        self.enter = nn.Conv2d(inputs, channels, 3, padding=1)
        self.blocks = block_stack(block, channels, blocks)
        self.leave = nn.SiLU()
        self.head = head

    def forward(self, known: Sequence[Tensor], conditioning: Tensor, centres: Sequence[Tensor] | None):
        """The distribution of the next group.

        known: uint8 groups (N, C, h, w). conditioning: (N, D, h, w). centres: four uint8 groups of the centre image
        or None; without it the difference is taken from mid-grey.
        """
        assert len(known) == self.known
        inputs = [conditioning]
        for index, group in enumerate(known):
            reference = torch.full_like(group, 128) if centres is None else centres[index]
            inputs += [to_unit(group), innovation(group, reference)]
        features = self.leave(self.blocks(self.enter(torch.cat([x.to(conditioning.dtype) for x in inputs], dim=1))))
        return self.head(features, None if centres is None else centres[self.known])


class TypeAUpscaler(nn.Module):
    """Groups ``first``..4 of one scale, each in one evaluation of its own network (figure 3A).

    first: 2 when group 1 is given (an upscaler proper), 1 when the first group is predicted too (the O(T) decoder).
    make_head: builds one head for features of ``channels``.
    """

    def __init__(
        self,
        conditioning: int,
        colours: int,
        channels: int,
        blocks: int,
        block: str,
        make_head,
        first: int = 2,
    ):
        super().__init__()
        self.first = first
        self.networks = nn.ModuleList(
            GroupNetwork(known, conditioning, colours, channels, blocks, block, make_head())
            for known in range(first - 1, GROUPS)
        )
        head = self.networks[0].head
        self.evaluations = len(self.networks) * head.evaluations
        self.uniforms_per_pixel = head.uniforms_per_pixel

    def log_prob(self, image: Tensor, conditioning: Tensor, centre: Tensor | None = None) -> Tensor:
        """Nats (N, H, W) of uint8 ``image`` (N, C, H, W); zero at group 1 where it is given.

        conditioning: (N, D, H/2, W/2). centre: uint8 image like ``image`` or None.
        """
        groups = split_groups(image)
        centres = None if centre is None else split_groups(centre)
        scores = [torch.zeros_like(groups[0][:, 0], dtype=torch.float32)] * (self.first - 1)
        for network in self.networks:
            distribution = network(groups[: network.known], conditioning, centres)
            scores.append(distribution.log_prob(groups[network.known]))
        return merge_groups(scores)

    def sample(
        self,
        given: Tensor | None,
        conditioning: Tensor,
        uniforms: Tensor,
        centre: Tensor | None = None,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """(image uint8 (N, C, H, W), nats (N, H, W)); given: group 1 (N, C, H/2, W/2), or None if first is 1.

        uniforms: (N, uniforms_per_pixel, H, W). The nats are the model's own (temperature 1).
        """
        groups: list[Tensor] = [] if given is None else [given]
        numbers = split_groups(uniforms)
        centres = None if centre is None else split_groups(centre)
        scores = [] if given is None else [torch.zeros_like(given[:, 0], dtype=torch.float32)]
        for network in self.networks:
            distribution = network(groups, conditioning, centres)
            groups.append(distribution.sample(numbers[network.known], temperature))
            scores.append(distribution.log_prob(groups[-1]))
        return merge_groups(groups), merge_groups(scores)
