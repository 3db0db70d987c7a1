"""Upscalers: the groups of one scale given the earlier ones (Reed et al. 2017, sections 3.1-3.2,
figure 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.groups import GROUPS, merge_groups, split_groups
from pixelpush.image.heads import Head
from pixelpush.image.layers import Layers, block_stack
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.image.raster import RasterDecoder


@dataclass(frozen=True)
class GroupSettings:
    """Sizes of the network of one pixel group.

    conditioning: channels of the conditioning map. colours: channels of the image. channels,
    blocks, block: width, depth and kind of the residual stack (``layers.BLOCKS``).

    >>> GroupSettings(conditioning=2, colours=3, channels=8, blocks=1).block
    'residual'
    """

    conditioning: int
    colours: int
    channels: int
    blocks: int
    block: str = "residual"


class GroupFeatures(nn.Module):
    """Features for one pixel group from the groups already known and the conditioning.

    Everything lies on the group's grid (H/2, W/2). Stacking the known groups as channels of that
    grid is the K x K -> K x 2K network of figure 3A with its merge left to ``merge_groups``. With a
    centre image, each known group also enters as its difference from it.

    >>> network = GroupFeatures(1, GroupSettings(conditioning=2, colours=3, channels=8, blocks=1))
    >>> group = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    >>> network.features([group], torch.zeros(1, 2, 4, 4), None).shape
    torch.Size([1, 8, 4, 4])
    """

    def __init__(self, known: int, settings: GroupSettings):
        super().__init__()
        self.known = known
        # A known pixel enters twice: as its value and as its difference from the centre.
        inputs = settings.conditioning + 2 * known * settings.colours
        self.enter = nn.Conv2d(inputs, settings.channels, 3, padding=1)
        self.blocks = block_stack(settings.block, settings.channels, settings.blocks)
        self.leave = nn.SiLU()

    def features(
        self, known: Sequence[Tensor], conditioning: Tensor, centres: Sequence[Tensor] | None
    ) -> Tensor:
        """(N, channels, h, w).

        known: uint8 groups (N, C, h, w). conditioning: (N, D, h, w). centres: four groups of the
        centre image, in levels, or None; without it the difference is taken from mid-grey."""
        assert len(known) == self.known
        inputs = [conditioning]
        for index, group in enumerate(known):
            reference = torch.full_like(group, 128) if centres is None else centres[index]
            inputs += [to_unit(group), innovation(group, reference)]
        joined = torch.cat(
            [x.to(conditioning.dtype, memory_format=torch.channels_last) for x in inputs], dim=1
        )
        return self.leave(self.blocks(self.enter(joined)))


class GroupNetwork(GroupFeatures):
    """Type A: every pixel of the group at once, independent given the earlier groups.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> settings = GroupSettings(conditioning=2, colours=3, channels=8, blocks=1)
    >>> GroupNetwork(1, settings, LogisticMixtureHead(8)).evaluations
    1
    """

    def __init__(self, known: int, settings: GroupSettings, head: Head):
        super().__init__(known, settings)
        self.head = head
        self.evaluations = head.evaluations
        self.uniforms_per_pixel = head.uniforms_per_pixel

    def forward(
        self, known: Sequence[Tensor], conditioning: Tensor, centres: Sequence[Tensor] | None
    ) -> PixelDistribution:
        """The distribution of the next group."""
        centre = None if centres is None else centres[self.known]
        return self.head(self.features(known, conditioning, centres), centre)

    def log_prob(
        self, target: Tensor, known: Sequence[Tensor], conditioning: Tensor, centres
    ) -> Tensor:
        """Nats (N, h, w) of the group's pixels."""
        return self(known, conditioning, centres).log_prob(target)

    def sample(
        self,
        known: Sequence[Tensor],
        conditioning: Tensor,
        uniforms: Tensor,
        centres,
        temperature: float,
    ):
        """(pixels of the group, nats) from uniforms (N, U, h, w)."""
        distribution = self(known, conditioning, centres)
        pixels = distribution.sample(uniforms, temperature)
        return pixels, distribution.log_prob(pixels)


class PatchGroupNetwork(GroupFeatures):
    """Type B: patches of the features run side by side through one shallow PixelCNN.

    Patches are patch x patch pixels. Within a patch each pixel also sees the patch's earlier
    pixels; patches are independent given the earlier groups.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> settings = GroupSettings(conditioning=2, colours=3, channels=8, blocks=1)
    >>> PatchGroupNetwork(1, settings, LogisticMixtureHead(8), patch=4, patch_layers=2).evaluations
    16
    """

    def __init__(
        self, known: int, settings: GroupSettings, head: Head, patch: int, patch_layers: int
    ):
        super().__init__(known, settings)
        # The first kernel reaches over a whole patch.
        channels = settings.channels
        trunk = GatedPixelCNNTrunk(
            settings.colours,
            channels,
            patch_layers,
            conditioning_channels=channels,
            first_kernel=max(2 * patch - 1, 3),
        )
        self.pixelcnn = RasterDecoder(trunk, head, settings.colours)
        self.patch = patch
        self.evaluations = self.pixelcnn.evaluations(patch, patch)
        self.uniforms_per_pixel = head.uniforms_per_pixel

    def split(self, maps: Tensor) -> Tensor:
        """(N, D, h, w) -> (N h/patch w/patch, D, patch, patch)."""
        height, width = maps.shape[2:]
        if height % self.patch or width % self.patch:
            raise InputError(
                f"a group of {height}x{width} pixels does not divide into "
                f"{self.patch}x{self.patch} patches."
            )
        return rearrange(maps, "n d (a p) (b q) -> (n a b) d p q", p=self.patch, q=self.patch)

    def merge(self, patches: Tensor, height: int, width: int) -> Tensor:
        """The inverse of ``split`` for maps of ``height`` x ``width``."""
        rows = height // self.patch
        columns = width // self.patch
        return rearrange(patches, "(n a b) d p q -> n d (a p) (b q)", a=rows, b=columns)

    def log_prob(
        self, target: Tensor, known: Sequence[Tensor], conditioning: Tensor, centres
    ) -> Tensor:
        """Nats (N, h, w) of the group's pixels."""
        features = self.split(self.features(known, conditioning, centres))
        centre = None if centres is None else self.split(centres[self.known])
        scores = self.pixelcnn.log_prob(self.split(target), features, centre)
        return self.merge(scores[:, None], *target.shape[2:])[:, 0]

    def sample(
        self,
        known: Sequence[Tensor],
        conditioning: Tensor,
        uniforms: Tensor,
        centres,
        temperature: float,
    ):
        """(pixels of the group, nats) from uniforms (N, U, h, w)."""
        features = self.split(self.features(known, conditioning, centres))
        centre = None if centres is None else self.split(centres[self.known])
        numbers = self.split(uniforms)
        pixels, scores = self.pixelcnn.sample(features, numbers, temperature, centre=centre)
        size = uniforms.shape[2:]
        return self.merge(pixels, *size), self.merge(scores[:, None], *size)[:, 0]


class Upscaler(nn.Module):
    """Groups ``first``..4 of one scale, one network each, every group given all earlier ones.

        log p(image | group 1) = sum over g = 2, 3, 4 of log p(group g | groups 1 .. g-1)

    first: 2 when group 1 is given (an upscaler proper), 1 when the first group is predicted too
    (the O(T) decoder).

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> settings = GroupSettings(conditioning=2, colours=3, channels=8, blocks=1)
    >>> upscaler = TypeAUpscaler(settings, lambda: LogisticMixtureHead(8))
    >>> image = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    >>> upscaler.log_prob(image, torch.zeros(1, 2, 2, 2))[0, 0, 0].item()
    0.0
    """

    networks: Layers[GroupNetwork | PatchGroupNetwork]

    def __init__(self, networks: Sequence[GroupNetwork | PatchGroupNetwork]):
        super().__init__()
        self.first = GROUPS + 1 - len(networks)
        self.networks = Layers(networks)
        self.evaluations = sum(network.evaluations for network in networks)
        self.uniforms_per_pixel = networks[0].uniforms_per_pixel

    def log_prob(self, image: Tensor, conditioning: Tensor, centre: Tensor | None = None) -> Tensor:
        """Nats (N, H, W) of uint8 ``image`` (N, C, H, W); zero at group 1 where it is given.

        conditioning: (N, D, H/2, W/2). centre: levels, shaped like ``image``, or None.
        """
        groups = split_groups(image)
        centres = None if centre is None else split_groups(centre)
        # A given group costs nothing: its nats belong to the smaller scale.
        scores = [torch.zeros_like(groups[0][:, 0], dtype=torch.float32)] * (self.first - 1)
        for network in self.networks:
            scores.append(
                network.log_prob(
                    groups[network.known], groups[: network.known], conditioning, centres
                )
            )
        return merge_groups(scores)

    def sample(
        self,
        given: Tensor | None,
        conditioning: Tensor,
        uniforms: Tensor,
        centre: Tensor | None = None,
        temperature: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """Return (image uint8 (N, C, H, W), nats (N, H, W)).

        given: group 1 (N, C, H/2, W/2), or None if ``first`` is 1. uniforms: (N,
        uniforms_per_pixel, H, W). The nats are the model's own (temperature 1)."""
        groups: list[Tensor] = [] if given is None else [given]
        numbers = split_groups(uniforms)
        centres = None if centre is None else split_groups(centre)
        scores = [] if given is None else [torch.zeros_like(given[:, 0], dtype=torch.float32)]
        for network in self.networks:
            pixels, score = network.sample(
                groups, conditioning, numbers[network.known], centres, temperature
            )
            groups.append(pixels)
            scores.append(score)
        return merge_groups(groups), merge_groups(scores)


class TypeAUpscaler(Upscaler):
    """Each group in one evaluation of its own network (Reed et al. 2017, figure 3A).

    make_head: builds a head on ``settings.channels`` channels.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> settings = GroupSettings(conditioning=2, colours=3, channels=8, blocks=1)
    >>> TypeAUpscaler(settings, lambda: LogisticMixtureHead(8)).evaluations
    3
    """

    def __init__(self, settings: GroupSettings, make_head: Callable[[], Head], first: int = 2):
        super().__init__(
            [GroupNetwork(known, settings, make_head()) for known in range(first - 1, GROUPS)]
        )


class TypeBUpscaler(Upscaler):
    """Each group in patch x patch small steps per colour, all patches at once (figure 3B).

    patch: side of a patch; the paper's is 4. patch_layers: layers of the shallow PixelCNN, shared
    by all patches of a group; the paper has 4.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> settings = GroupSettings(conditioning=2, colours=3, channels=8, blocks=1)
    >>> TypeBUpscaler(settings, lambda: LogisticMixtureHead(8)).evaluations
    48
    """

    def __init__(
        self,
        settings: GroupSettings,
        make_head: Callable[[], Head],
        first: int = 2,
        patch: int = 4,
        patch_layers: int = 4,
    ):
        super().__init__(
            [
                PatchGroupNetwork(known, settings, make_head(), patch, patch_layers)
                for known in range(first - 1, GROUPS)
            ]
        )
