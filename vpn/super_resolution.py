"""Video super-resolution: a frame at twice the size, given the small frame and the large frame
before it.

Reed et al. 2017, section 4.3, end: 64 -> 128 and 128 -> 256 upscalers, "conditioned on
low-resolution and a previous high-resolution frame". The small frame is a picture of its own
(rendered or area-filtered, not sub-sampled), so all four pixel groups are predicted: p(large |
small, previous large) is an exact likelihood of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.heads import LogisticMixtureHead
from pixelpush.image.layers import block_stack
from pixelpush.image.noise import Generators, SampleNoise
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.image.upscalers import GroupSettings, TypeAUpscaler
from pixelpush.settings import check_temperature

# Levels, of the channel that differs most: more than sensor noise and a sample's own grain.
UNCHANGED = 4


@dataclass(frozen=True)
class SuperResolutionConfig:
    """Sizes of a super-resolution model.

    frame_size: side of the large frame that the model was trained for; being convolutional it takes
    any even size. channels, blocks: width and depth. components: of the logistic mixture. Raises
    InputError for a size out of bounds.

    >>> SuperResolutionConfig(frame_size=256).channels
    32
    """

    frame_size: int = 128
    colours: int = 3
    channels: int = 32
    blocks: int = 2
    components: int = 5

    def __post_init__(self):
        for name, value in asdict(self).items():
            if not isinstance(value, int) or not 1 <= value <= 4096:
                raise InputError(
                    f"{name} must be a whole number between 1 and 4096, got {value!r}."
                )


class VideoUpscaler(nn.Module):
    """p(large frame | small frame, previous large frame), in four network evaluations a frame.

    Distributions are centred on the previous large frame plus the change of the small one: still
    detail is carried on, and what moved starts from the small picture.

    >>> model = build_upscaler(16, channels=4, blocks=1)
    >>> small = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    >>> large = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> model.log_prob(large, small, previous=large).shape
    torch.Size([1, 16, 16])
    """

    family: ClassVar[str] = "upscaler"
    evaluations = 4

    def __init__(self, config: SuperResolutionConfig):
        super().__init__()
        self.config = c = config
        # The small frame and its change; the centre and its distance from the small frame, folded
        # from the large grid.
        self.enter = nn.Conv2d(2 * c.colours + 2 * 4 * c.colours, c.channels, 3, padding=1)
        self.blocks = block_stack("residual", c.channels, c.blocks)
        self.groups = TypeAUpscaler(
            GroupSettings(c.channels, c.colours, c.channels, c.blocks),
            lambda: LogisticMixtureHead(c.channels, c.colours, c.components),
            first=1,
        )

    def log_prob(
        self, large: Tensor, small: Tensor, previous: Tensor, first: Tensor | None = None
    ) -> Tensor:
        """Nats per pixel (N, 2h, 2w), summed over channels, of ``large``.

        large, previous: uint8 (N, C, 2h, 2w); small: uint8 (N, C, h, w). first: an early large
        frame, as previous; what has not changed since is read there (``remembered``). Raises
        InputError on other shapes."""
        previous = self._past(small, previous, first)
        self._check(small, large)
        return self.groups.log_prob(
            large, self._conditioning(small, previous), self._centre(small, previous)
        )

    def training_loss(
        self,
        large: Tensor,
        small: Tensor,
        previous: Tensor,
        first: Tensor | None = None,
        own: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """'loss' to minimise and 'nats_per_subpixel'.

        large, small, previous, first: as in ``log_prob``. With ``own`` the large frame before may
        be the model's own sample, as in a video that it draws: trained on true frames alone it
        keeps and spreads its errors. small: (N, M + 1, C, h, w), the last one large's own.
        previous: (N, M + 1, C, 2h, 2w), the large frames before these. own: int64 (N,), how many of
        the M steps before the last the model samples itself, with noise of torch's own
        generator."""
        if own is not None:
            previous = self._own_past(small, previous, first, own)
            small = small[:, -1]
        nats = -self.log_prob(large, small, previous, first).mean() / self.config.colours
        return {"loss": nats, "nats_per_subpixel": nats.detach()}

    def _own_past(
        self, small: Tensor, previous: Tensor, first: Tensor | None, own: Tensor
    ) -> Tensor:
        """The large frames before the last ones, after ``own`` sampled steps."""
        shown = previous[:, 0]
        noise = len(small), self.groups.uniforms_per_pixel, *shown.shape[-2:]
        for left in range(small.shape[1] - 1, 0, -1):
            step = small.shape[1] - 1 - left
            uniforms = torch.rand(noise, device=small.device)
            sampled, _ = self.sample(small[:, step], shown, uniforms, first=first)
            is_own = (own >= left)[:, None, None, None]
            shown = torch.where(is_own, sampled, previous[:, step + 1])
        return shown

    forward = training_loss

    @torch.no_grad()
    def sample(
        self,
        small: Tensor,
        previous: Tensor,
        uniforms: Tensor,
        temperature: float = 1.0,
        first: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return (large frame uint8 (N, C, 2h, 2w), nats (N, 2h, 2w) at temperature 1).

        uniforms: (N, 1 + C, 2h, 2w). temperature: see ``PixelDistribution.sample``. first: as in
        ``log_prob``."""
        check_temperature(temperature)
        previous = self._past(small, previous, first)
        conditioning = self._conditioning(small, previous)
        centre = self._centre(small, previous)
        return self.groups.sample(None, conditioning, uniforms, centre, temperature)

    def _past(self, small: Tensor, previous: Tensor, first: Tensor | None) -> Tensor:
        self._check(small, previous)
        if first is None:
            return previous
        self._check(small, first)
        return remembered(small, previous, first)

    def _conditioning(self, small: Tensor, previous: Tensor) -> Tensor:
        centre = self._centre(small, previous)
        large = [to_unit(centre), innovation(centre, _enlarge(small))]
        inputs = [
            to_unit(small),
            innovation(small, shrink(previous)),
            *(F.pixel_unshuffle(x, 2) for x in large),
        ]
        return self.blocks(self.enter(torch.cat(inputs, dim=1)))

    def _centre(self, small: Tensor, previous: Tensor) -> Tensor:
        # previous + enlarge(small - shrink(previous)); int16, because the parts leave 0..255.
        moved = previous.short() + _enlarge(small).short() - _enlarge(shrink(previous)).short()
        return moved.clamp(0, 255).to(torch.uint8)

    def _check(self, small: Tensor, large: Tensor) -> None:
        twice = (
            (*small.shape[:2], 2 * small.shape[2], 2 * small.shape[3]) if small.ndim == 4 else None
        )
        if small.ndim != 4 or small.shape[1] != self.config.colours or tuple(large.shape) != twice:
            raise InputError(
                f"super-resolution needs uint8 (N, {self.config.colours}, h, w) and the same at "
                "twice the size, got "
                f"{tuple(small.shape)} and {tuple(large.shape)}."
            )


def shrink(frames: Tensor) -> Tensor:
    """Halve frames by an area filter, rounded half up: uint8 (..., 2h, 2w) -> (..., h, w).

    >>> shrink(torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8)).item()
    3
    """
    total = sum(frames[..., row::2, column::2].short() for row in (0, 1) for column in (0, 1))
    assert isinstance(total, Tensor)
    # Whole numbers: the same bytes on every device.
    return ((total + 2) // 4).to(torch.uint8)


def remembered(small: Tensor, previous: Tensor, first: Tensor) -> Tensor:
    """The previous large frame, with what has not changed since the first read there again.

    Sampled frame after frame, the edges of still things fray: where exactly an edge lies within a
    small pixel is forgotten. Each 2x2 block is the first frame's where the small frame agrees with
    it, that is where it is off from the first by at most ``UNCHANGED`` levels more than from the
    previous one. small: uint8 (N, C, h, w); previous, first, the result: uint8 (N, C, 2h, 2w).

    >>> first = torch.tensor([[[[8, 10], [8, 10]]]], dtype=torch.uint8)
    >>> frayed = torch.full_like(first, 9)
    >>> torch.equal(remembered(shrink(first), frayed, first), first)
    True
    """
    off_first, off_previous = (
        (small.short() - shrink(large).short()).abs().amax(dim=1, keepdim=True)
        for large in (first, previous)
    )
    return torch.where(_enlarge(off_first <= off_previous + UNCHANGED), first, previous)


def _enlarge(frames: Tensor) -> Tensor:
    """Each pixel becomes a 2x2 block: uint8 (N, C, h, w) -> (N, C, 2h, 2w)."""
    return frames.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)


@torch.no_grad()
def upscale_video(
    upscalers: Sequence[VideoUpscaler],
    frames: Tensor,
    first: Tensor | None = None,
    generator: Generators = None,
    temperature: float = 1.0,
) -> Tensor:
    """Render uint8 videos (B, T, C, H, W) at 2^len(upscalers) times their size, frame after frame.

    first: the large frame before the video's first, uint8 (B, C, ...), at the final size, which
    every frame reads again where nothing has changed. Without it the first small frame, enlarged,
    takes its place, so that detail has to grow within the first frames. One stream per sample, as
    in ``VideoPixelNetwork.rollout``.

    >>> chain = [build_upscaler(16, channels=4, blocks=1)]
    >>> upscale_video(chain, torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 2, 3, 16, 16])
    """
    noise = SampleNoise(generator, frames.shape[0])
    for index, upscaler in enumerate(upscalers):
        behind = len(upscalers) - 1 - index
        known = first
        if known is not None:
            for _ in range(behind):
                known = shrink(known)
        previous = _enlarge(frames[:, 0]) if known is None else known
        large = []
        for time in range(frames.shape[1]):
            uniforms = noise.uniforms(upscaler.groups.uniforms_per_pixel, *previous.shape[-2:]).to(
                frames.device
            )
            previous, _ = upscaler.sample(frames[:, time], previous, uniforms, temperature, known)
            large.append(previous)
        frames = torch.stack(large, dim=1)
    return frames


def build_upscaler(frame_size: int, **overrides: Any) -> VideoUpscaler:
    """Return a new 2x upscaler to ``frame_size``.

    overrides: settings of ``SuperResolutionConfig``; an unknown one raises InputError.

    >>> build_upscaler(128, channels=16).config.blocks
    2
    """
    try:
        return VideoUpscaler(SuperResolutionConfig(frame_size, **overrides))
    except TypeError as error:
        raise InputError(f"super-resolution: {error}.") from None
