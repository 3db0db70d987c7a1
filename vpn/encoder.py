"""The frame encoder: convolutions on every frame, then a ConvLSTM over time (Kalchbrenner et al.
2016, section 4.1).

Its output at frame t conditions frame t+1. The recurrent state is a value that ``step`` takes and
returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import block_stack, coordinates
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.vpn.background import Background, empty, observe
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.motion import Motion
from pixelpush.vpn.points import Moving
from pixelpush.vpn.recompute import by_pieces


class EncoderCarry(NamedTuple):
    """What the frame encoder remembers between frames.

    hidden, cell: the ConvLSTM's, float32 (B, L, g, g). background: the running mean of the frames
    where the model is centred, else None.

    >>> EncoderCarry(torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)).background is None
    True
    """

    hidden: Tensor
    cell: Tensor
    background: Background | None = None


class ConvLSTM(nn.Module):
    """A convolutional LSTM without peepholes (Shi et al. 2015).

        c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c')

    The sums i, f, o, g (input, forget, output, candidate) are one 3x3 convolution of input and
    hidden state.

    >>> lstm = ConvLSTM(inputs=3, channels=4)
    >>> carry = lstm.initial(1, 8, 8, torch.device("cpu"))
    >>> lstm.step(carry, lstm.from_input(torch.zeros(1, 3, 8, 8))).hidden.shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.channels = channels
        # The input's share of the gates does not depend on the recurrence: it is computed for all
        # frames at once.
        self.from_input = nn.Conv2d(inputs, 4 * channels, 3, padding=1)
        self.from_hidden = nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False)
        with torch.no_grad():
            assert self.from_input.bias is not None
            self.from_input.bias[channels : 2 * channels] = 1.0  # remember at first

    def initial(self, batch: int, height: int, width: int, device: torch.device) -> EncoderCarry:
        zeros = torch.zeros(batch, self.channels, height, width, device=device)
        return EncoderCarry(zeros, zeros)

    def step(self, carry: EncoderCarry, input_gates: Tensor) -> EncoderCarry:
        """One frame; input_gates: ``from_input`` of that frame's features."""
        # In float32: the cell passes through every frame, and bfloat16 would round it each time.
        gates = (input_gates + self.from_hidden(carry.hidden.to(input_gates.dtype))).float()
        input_gate, forget_gate, output_gate, candidate = gates.chunk(4, dim=1)
        kept = torch.sigmoid(forget_gate) * carry.cell
        cell = kept + torch.sigmoid(input_gate) * torch.tanh(candidate)
        return EncoderCarry(torch.sigmoid(output_gate) * torch.tanh(cell), cell, carry.background)


class CoarseContext(nn.Module):
    """A block at half the resolution, recursively.

    Every position sees the whole frame for little arithmetic.

    >>> CoarseContext(channels=4, scales=2, block="residual")(torch.zeros(1, 4, 8, 8)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, channels: int, scales: int, block: str):
        super().__init__()
        self.down = nn.Conv2d(channels, channels, 2, stride=2)
        self.blocks = block_stack(block, channels, 2)
        self.coarser = CoarseContext(channels, scales - 1, block) if scales > 1 else None
        self.up = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        coarse = self.blocks(self.down(features))
        if self.coarser is not None:
            coarse = self.coarser(coarse)
        return features + F.interpolate(self.up(coarse), scale_factor=2.0, mode="nearest")


class VideoEncoder(nn.Module, ABC):
    """What every encoder of frames has: one step a frame, with a carry that only it reads.

    features: channels D of the maps that it hands to the decoder.

    >>> encoder = FrameEncoder(VideoConfig(frame_size=8, coarse_scales=0))
    >>> carry = encoder.initial(batch=2, device=torch.device("cpu"))
    >>> frame = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    >>> carry, features, centre = encoder.step(carry, frame, torch.zeros(2, 10))
    >>> features.shape[1] == encoder.features
    True
    """

    features: int

    @abstractmethod
    def initial(self, batch: int, device: torch.device) -> Any:
        """Return the carry before the first frame."""

    @abstractmethod
    def step(self, carry: Any, frame: Tensor, vector: Tensor) -> tuple[Any, Tensor, Tensor | None]:
        """Take one frame in and return (new carry, features, centre).

        features: (B, D, g, g), which condition the next frame. centre: of the next frame, or None.
        """

    def step_moving(
        self, carry: Any, frame: Tensor, vector: Tensor
    ) -> tuple[Any, Tensor, Tensor | None, Moving | None]:
        """``step`` with how the frame's pixels move, None where the encoder moves none."""
        return *self.step(carry, frame, vector), None

    @abstractmethod
    def forward(
        self, frames: Tensor, vectors: Tensor, recompute: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Encode all frames at once, equal to ``step`` after ``step``.

        frames: uint8 (B, T, C, H, W). vectors: (B, T, V). Returns features (B, T, D, g, g) and
        centres (B, T, C, H, W) or None."""


class FrameEncoder(VideoEncoder):
    """Convolutions on every frame, then a ConvLSTM over time.

    Frames, with normalised states and actions, become features (B, T, D, g, g), D = ``features``.

    >>> encoder = FrameEncoder(VideoConfig(frame_size=8, coarse_scales=0))
    >>> frames = torch.zeros(1, 4, 3, 8, 8, dtype=torch.uint8)
    >>> features, centres = encoder(frames, torch.zeros(1, 4, 10))
    >>> centres.shape
    torch.Size([1, 4, 3, 8, 8])
    """

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config
        # The frame itself, and what ``look`` sees of it.
        images = 3 * config.colours + 1 if config.centred else config.colours
        # Two coordinates; states and actions enter as constant maps.
        inputs = images * config.patch**2 + 2 + config.vector_dim
        self.enter = nn.Conv2d(inputs, config.channels, 3, padding=1)
        self.blocks = block_stack(
            config.encoder_block,
            config.channels,
            config.encoder_blocks,
            dilation=config.encoder_dilation,
        )
        scales = config.coarse_scales
        self.coarse = (
            CoarseContext(config.channels, scales, config.encoder_block)
            if scales
            else nn.Identity()
        )
        self.lstm = ConvLSTM(config.channels, config.lstm_channels)
        self.features = config.lstm_channels + (config.channels if config.skip else 0)
        self.motion = Motion(self.features, config.patch) if config.motion else None
        # The decoder then also sees its centre, folded, beside the features.
        self.features += 3 * config.colours * config.patch**2 if config.motion else 0

    def initial(self, batch: int, device: torch.device) -> EncoderCarry:
        c = self.config
        carry = self.lstm.initial(batch, c.grid, c.grid, device)
        if not c.centred:
            return carry
        return carry._replace(
            background=empty(batch, c.colours, c.frame_size, c.frame_size, device)
        )

    def convolve(self, frame: Tensor, seen: Tensor | None, vector: Tensor) -> Tensor:
        """Compute the part without recurrence: (N, channels, g, g).

        frame: uint8 (N, C, H, W). seen: ``look``'s (N, 2C + 1, H, W) or None. vector: (N, V)."""
        images = [to_unit(frame)] if seen is None else [to_unit(frame), seen]
        folded = F.pixel_unshuffle(torch.cat(images, dim=1), self.config.patch)
        maps = vector[:, :, None, None].expand(-1, -1, *folded.shape[-2:])
        inputs = torch.cat((folded, coordinates(folded), maps), dim=1).contiguous(
            memory_format=torch.channels_last
        )
        return self.coarse(self.blocks(self.enter(inputs)))

    def look(self, carry: EncoderCarry, frame: Tensor) -> tuple[EncoderCarry, Tensor | None]:
        """Take a frame into the running mean and return (carry, what is seen of it).

        What is seen is (B, 2C + 1, H, W): the frame's difference from the mean before it, the
        mean's from the frame after it, and 1 / count. It is None where the model is not centred."""
        if carry.background is None:
            return carry, None
        after = observe(carry.background, frame, self.config.still_levels)
        # Before the first frame there is no mean: the difference from it is then zero.
        before = torch.where(carry.background.count > 0, carry.background.mean, after.mean)
        seen = torch.cat(
            (innovation(frame, before), innovation(after.mean, frame), 1 / after.count), dim=1
        )
        return carry._replace(background=after), seen

    def step(
        self, carry: EncoderCarry, frame: Tensor, vector: Tensor
    ) -> tuple[EncoderCarry, Tensor, Tensor | None]:
        """Take one frame in and return (new carry, features, centre).

        features: (B, D, g, g), which condition the next frame. centre: of the next frame, or None.
        """
        carry, seen = self.look(carry, frame)
        convolved = self.convolve(frame, seen, vector)
        carry = self.lstm.step(carry, self.lstm.from_input(convolved))
        mean = carry.background.mean if carry.background else None
        return carry, *self._leave(carry.hidden, convolved, frame, mean)

    def step_moving(
        self, carry: EncoderCarry, frame: Tensor, vector: Tensor
    ) -> tuple[EncoderCarry, Tensor, Tensor | None, Moving | None]:
        carry, features, centre = self.step(carry, frame, vector)
        if self.motion is None:
            return carry, features, centre, None
        # The flow was computed from the first channels; the folded picture follows them.
        own = features[:, : self.motion.enter.in_channels]
        return carry, features, centre, Moving(*self.motion.flow_and_mask(own))

    def forward(
        self, frames: Tensor, vectors: Tensor, recompute: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Encode all frames at once, equal to ``step`` after ``step``.

        frames: uint8 (B, T, C, H, W). vectors: (B, T, V). Returns features (B, T, D, g, g) and,
        where the model is centred, centres (B, T, C, H, W). recompute: keep only the inputs of
        ``convolve`` for the backward pass."""
        batch, length = frames.shape[:2]
        carry = self.initial(batch, frames.device)
        # Only the running mean and the LSTM go frame by frame. All convolutions take the frames of
        # the clip as one batch.
        looks = []
        means = []
        for frame in frames.unbind(1):
            carry, seen = self.look(carry, frame)
            if seen is not None and carry.background is not None:
                looks.append(seen)
                means.append(carry.background.mean)
        flat = frames.flatten(0, 1)
        inputs = flat, torch.stack(looks, 1).flatten(0, 1) if looks else None, vectors.flatten(0, 1)
        convolved = by_pieces(self.convolve, *inputs) if recompute else self.convolve(*inputs)
        # ``unbind`` once: its backward pass is one stack, where indexing would fill a whole tensor
        # for every frame. Channels stay last in memory, as the convolutions want them.
        gates = (
            self.lstm.from_input(convolved)
            .permute(0, 2, 3, 1)
            .unflatten(0, (batch, length))
            .unbind(1)
        )
        hidden = []
        for frame_gates in gates:
            carry = self.lstm.step(carry, frame_gates.permute(0, 3, 1, 2))
            hidden.append(carry.hidden.permute(0, 2, 3, 1))
        mean = torch.stack(means, dim=1).flatten(0, 1) if means else None
        remembered = torch.stack(hidden, dim=1).flatten(0, 1).permute(0, 3, 1, 2)
        features, centres = self._leave(remembered, convolved, flat, mean)
        sizes = (batch, length)
        return features.unflatten(0, sizes), None if centres is None else centres.unflatten(
            0, sizes
        )

    def _leave(
        self, hidden: Tensor, convolved: Tensor, frame: Tensor, mean: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """(features (N, D, g, g), centres (N, C, H, W) or None) from the two halves of the
        encoder's output."""
        hidden = hidden.to(convolved.dtype)
        features = torch.cat((hidden, convolved), dim=1) if self.config.skip else hidden
        if mean is None or self.motion is None:
            return features, mean
        centre = self.motion(features, frame, mean)
        seen = torch.cat(
            (centre / 127.5 - 1, innovation(centre, frame), innovation(centre, mean)), dim=1
        )
        folded = F.pixel_unshuffle(seen, self.config.patch)
        return torch.cat(
            (features, folded.to(features.dtype, memory_format=torch.channels_last)), dim=1
        ), centre


class Resize(nn.Module):
    """Feature maps from one grid to another by learned 2x2 folding or unfolding.

    Sizes differ by powers of two.

    >>> Resize(channels=4, size=8, target=16)(torch.zeros(1, 4, 8, 8)).shape
    torch.Size([1, 4, 16, 16])
    """

    def __init__(self, channels: int, size: int, target: int):
        super().__init__()
        layers: list[nn.Module] = []
        while size > target:
            layers += [nn.Conv2d(channels, channels, 2, stride=2)]
            size //= 2
        while size < target:
            layers += [nn.Conv2d(channels, 4 * channels, 1), nn.PixelShuffle(2)]
            size *= 2
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)
