"""The layered frame encoder: what the next frame is made of, before any of its pixels is known.

Three layers from back to front: memory of what is still (``memory.py``), the last frame moved by a
flow (``composition.py``), the arm drawn from its state (``drawing.py``). Their composition is the
picture that the decoder is centred on and sees. All are functions of the past, so the likelihood
stays exact."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import block_stack, coordinates
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.encoder import ConvLSTM, EncoderCarry, VideoEncoder
from pixelpush.vpn.layered.composition import Composition, Layers, Seen
from pixelpush.vpn.layered.drawing import ArmDrawing, Drawing
from pixelpush.vpn.layered.memory import Memory, empty, remember
from pixelpush.vpn.points import Moving
from pixelpush.vpn.recompute import by_pieces

# Where a drawn mask is above this, the arm hides what lies behind; where its shadow leaves less
# light than this, readings do not belong into the memory.
_HIDES = 0.3
_SHADES = 0.96
# Around the arm that is drawn for the second frame, where the first frame may show it, in pixels.
_REACH = 2
_COARSE_WIDTH = 128  # at most, of the coarse scales


class LayeredCarry(NamedTuple):
    """What passes from frame to frame in the layered encoder.

    lstm: the ConvLSTM's carry. memory: of what is still. code: (B, K), of the first frame, and
    pose: (B, P), of the way since (drawing.py). seen: (B, 1), 0 before the first frame. mask,
    shade: (B, 1, H, W), of the arm that was drawn for the frame that comes next.

    >>> encoder = LayeredEncoder(VideoConfig(frame_size=8, coarse_scales=0, encoder="layered"))
    >>> encoder.initial(2, torch.device("cpu")).seen.shape
    torch.Size([2, 1])
    """

    lstm: EncoderCarry
    memory: Memory
    code: Tensor
    pose: Tensor
    seen: Tensor
    mask: Tensor
    shade: Tensor


class WideCoarse(nn.Module):
    """Half the resolution at twice the width, recursively; the vector enters at every scale.

    >>> coarse = WideCoarse(4, scales=1, vector=2, block="residual")
    >>> coarse(torch.zeros(1, 4, 8, 8), torch.zeros(1, 2)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, channels: int, scales: int, vector: int, block: str):
        super().__init__()
        wide = min(2 * channels, _COARSE_WIDTH)
        self.down = nn.Conv2d(channels, wide, 2, stride=2)
        self.vector = nn.Linear(vector, wide)
        self.before = block_stack(block, wide, 2)
        self.after = block_stack(block, wide, 1)
        self.coarser = WideCoarse(wide, scales - 1, vector, block) if scales > 1 else None
        self.up = nn.Conv2d(wide, 4 * channels, 1)

    def forward(self, features: Tensor, vector: Tensor) -> Tensor:
        coarse = self.before(self.down(features) + self.vector(vector)[:, :, None, None])
        if self.coarser is not None:
            coarse = self.coarser(coarse, vector)
        return features + F.pixel_shuffle(self.up(self.after(coarse)), 2)


class LayeredEncoder(VideoEncoder):
    """The frame encoder that draws the arm over a memory of what is still.

    It takes the place of ``FrameEncoder``: frames, with normalised states and actions, become
    features (B, T, D, g, g), D = ``features``, and the composed pictures (B, T, C, H, W).

    >>> encoder = LayeredEncoder(VideoConfig(frame_size=8, coarse_scales=0, encoder="layered"))
    >>> frames = torch.zeros(1, 4, 3, 8, 8, dtype=torch.uint8)
    >>> features, centres = encoder(frames, torch.zeros(1, 4, 10))
    >>> centres.shape
    torch.Size([1, 4, 3, 8, 8])
    """

    def __init__(self, config: VideoConfig):
        super().__init__()
        c = self.config = config
        # Without a state nothing says where the arm is: then it is not drawn.
        draws = c.state_dim > 0
        self.drawing = ArmDrawing(c.vector_dim, c.colours, c.frame_size) if draws else None
        images = 6 * c.colours + 4
        inputs = images * c.patch**2 + 2 + c.vector_dim
        self.enter = nn.Conv2d(inputs, c.channels, 3, padding=1)
        self.blocks = block_stack(
            c.encoder_block, c.channels, c.encoder_blocks, dilation=c.encoder_dilation
        )
        scales = c.coarse_scales
        block = c.encoder_block
        self.coarse = WideCoarse(c.channels, scales, c.vector_dim, block) if scales else None
        self.lstm = ConvLSTM(c.channels, c.lstm_channels)
        joined = c.channels + c.lstm_channels
        self.composition = Composition(joined, c.patch, c.colours)
        # All group networks read the same features: projecting them once is half of a step.
        self.project = nn.Conv2d(joined + 3 * c.colours * c.patch**2, c.feature_channels, 1)
        self.features = c.feature_channels

    def initial(self, batch: int, device: torch.device) -> LayeredCarry:
        c = self.config
        size = c.frame_size
        code, pose = 0, 0
        if self.drawing is not None:
            code = self.drawing.code.out_features
            pose = self.drawing.track.hidden_size
        return LayeredCarry(
            self.lstm.initial(batch, c.grid, c.grid, device),
            empty(batch, c.colours, size, size, device),
            torch.zeros(batch, code, device=device),
            torch.zeros(batch, pose, device=device),
            torch.zeros(batch, 1, device=device),
            torch.zeros(batch, 1, size, size, device=device),
            torch.ones(batch, 1, size, size, device=device),
        )

    def step(
        self, carry: LayeredCarry, frame: Tensor, vector: Tensor
    ) -> tuple[LayeredCarry, Tensor, Tensor]:
        """Take one frame in and return (new carry, features, composed picture).

        features: (B, D, g, g), which condition the next frame, as its composed picture does."""
        carry, features, layers = self.step_layers(carry, frame, vector)
        return carry, features, layers.centre

    def step_moving(
        self, carry: LayeredCarry, frame: Tensor, vector: Tensor
    ) -> tuple[LayeredCarry, Tensor, Tensor, Moving]:
        # Behind the arm: what it covers is not carried along with it.
        carry, features, layers = self.step_layers(carry, frame, vector)
        return carry, features, layers.centre, Moving(layers.flow, layers.moved_mask)

    def step_layers(
        self, carry: LayeredCarry, frame: Tensor, vector: Tensor
    ) -> tuple[LayeredCarry, Tensor, Layers]:
        """``step`` with every layer."""
        code = carry.code
        pose = carry.pose
        begun = carry.seen > 0
        if self.drawing is not None:
            code = torch.where(begun, code, self.drawing.encode(frame).float())
            pose = torch.where(begun, pose, self.drawing.begin(code))
            pose = self.drawing.follow(pose, vector)
        drawn = self._draw(vector, code, pose, frame)
        mask = torch.sigmoid(drawn.logit)
        begun = begun[:, :, None, None]
        arm = torch.where(begun, carry.mask, _widened(mask)) > _HIDES
        shade = torch.where(begun, carry.shade, drawn.shade)
        memory = self._remember(carry.memory, frame, arm, shade)
        seen = _seen(frame, memory, arm, shade)
        convolved = self._look(vector, *seen, *drawn)
        lstm = self.lstm.step(carry.lstm, self.lstm.from_input(convolved))
        features, layers = self._leave(lstm.hidden, convolved, seen, drawn)
        begun = torch.ones_like(carry.seen)
        return LayeredCarry(lstm, memory, code, pose, begun, mask, drawn.shade), features, layers

    def forward(
        self, frames: Tensor, vectors: Tensor, recompute: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Encode all frames at once, equal to ``step`` after ``step``.

        frames: uint8 (B, T, C, H, W). vectors: (B, T, V). Returns features (B, T, D, g, g) and
        composed pictures (B, T, C, H, W). recompute: keep only the inputs of the convolutions for
        the backward pass."""
        sizes = batch, length = frames.shape[:2]
        flat = frames.flatten(0, 1)
        vector = vectors.flatten(0, 1)
        with torch.no_grad():  # the drawing is taught by its own error alone
            drawn = self.draw(frames[:, 0], vectors)
            masks = torch.sigmoid(drawn.logit).unflatten(0, sizes)
            arms = torch.cat((_widened(masks[:, 0])[:, None], masks[:, :-1]), dim=1) > _HIDES
            shades = drawn.shade.unflatten(0, sizes)
            shades = torch.cat((shades[:, :1], shades[:, :-1]), dim=1)
        carry = self.initial(batch, frames.device)
        memory = carry.memory
        memories = []
        for time in range(length):
            memory = self._remember(memory, frames[:, time], arms[:, time], shades[:, time])
            memories.append(memory)
        stacked = Memory(
            *(torch.stack(parts, 1).flatten(0, 1) for parts in zip(*memories, strict=True))
        )
        seen = _seen(flat, stacked, arms.flatten(0, 1), shades.flatten(0, 1))
        inputs = (vector, *seen, *drawn)
        convolved = by_pieces(self._look, *inputs) if recompute else self._look(*inputs)
        # Channels stay last in memory, as the convolutions want them.
        gates = self.lstm.from_input(convolved).permute(0, 2, 3, 1).unflatten(0, sizes)
        lstm = carry.lstm
        hidden = []
        for frame_gates in gates.unbind(1):
            lstm = self.lstm.step(lstm, frame_gates.permute(0, 3, 1, 2))
            hidden.append(lstm.hidden.permute(0, 2, 3, 1))
        remembered = torch.stack(hidden, dim=1).flatten(0, 1).permute(0, 3, 1, 2)
        features, layers = self._leave(remembered, convolved, seen, drawn)
        return features.unflatten(0, sizes), layers.centre.unflatten(0, sizes)

    def draw(self, first: Tensor, vectors: Tensor, times: Tensor | None = None) -> Drawing:
        """Draw the frames that follow vectors (B, T, V), flattened to (B T, ...).

        first: uint8 (B, C, H, W), the frame that the first vector belongs to. times: int64 (B, K);
        with it only the frames that follow these K vectors, flattened to (B K, ...)."""
        batch, length = vectors.shape[:2]
        if self.drawing is None:
            blank = first[:, None].expand(-1, length, -1, -1, -1).flatten(0, 1)
            flat = vectors.flatten(0, 1)
            return self._draw(flat, flat[:, :0], flat[:, :0], blank)
        code = self.drawing.encode(first)
        poses = self.drawing.poses(code, vectors)
        if times is not None:
            row = torch.arange(batch, device=times.device)[:, None]
            vectors, poses = vectors[row, times], poses[row, times]
        code = code[:, None].expand(-1, vectors.shape[1], -1)
        return self.drawing(vectors.flatten(0, 1), code.flatten(0, 1), poses.flatten(0, 1))

    def _draw(self, vector: Tensor, code: Tensor, pose: Tensor, like: Tensor) -> Drawing:
        if self.drawing is None:
            blank = torch.zeros_like(like, dtype=torch.float32)
            return Drawing(blank, blank[:, :1] - 20, blank[:, :1] + 1)
        return self.drawing(vector, code, pose)

    def _remember(self, memory: Memory, frame: Tensor, arm: Tensor, shade: Tensor) -> Memory:
        return remember(memory, frame, arm | (shade < _SHADES), self.config.still_levels)

    def _look(self, vector: Tensor, *maps: Tensor) -> Tensor:
        """The part without recurrence, of N frames: (N, channels, g, g).

        maps: the fields of ``Seen``, then those of ``Drawing``; apart, for ``by_pieces``."""
        split = len(Seen._fields)
        seen = Seen(*maps[:split])
        drawn = Drawing(*maps[split:])
        frame = seen.frame
        known = seen.known
        uncovered = (1 - torch.sigmoid(drawn.logit)) * drawn.shade
        pictures = (
            to_unit(frame),
            innovation(frame, known),
            innovation(drawn.picture, frame),
            1 - 2 * uncovered,
            known / 127.5 - 1,
            innovation(drawn.picture, known),
            1 / (1 + seen.count),
            seen.arm.float(),
            innovation(seen.alternative, known),
            1 / (1 + seen.former_count),
        )
        folded = F.pixel_unshuffle(torch.cat(pictures, dim=1), self.config.patch)
        vectors = vector[:, :, None, None].expand(-1, -1, *folded.shape[-2:])
        inputs = torch.cat((folded, coordinates(folded), vectors), dim=1)
        hidden = self.blocks(self.enter(inputs.contiguous(memory_format=torch.channels_last)))
        return hidden if self.coarse is None else self.coarse(hidden, vector.to(hidden.dtype))

    def _leave(
        self, hidden: Tensor, convolved: Tensor, seen: Seen, drawn: Drawing
    ) -> tuple[Tensor, Layers]:
        joined = torch.cat((hidden.to(convolved.dtype), convolved), dim=1)
        layers = self.composition(joined, seen, drawn)
        centre = layers.centre
        maps = (
            centre / 127.5 - 1,
            innovation(centre, seen.frame),
            innovation(centre, layers.memory),
        )
        folded = F.pixel_unshuffle(torch.cat(maps, dim=1), self.config.patch).to(joined.dtype)
        return self.project(torch.cat((joined, folded), dim=1)), layers


def _seen(frame: Tensor, memory: Memory, arm: Tensor, shade: Tensor) -> Seen:
    known = memory.mean, memory.count, memory.former, memory.former_count
    return Seen(frame, *known, arm, shade)


def _widened(mask: Tensor) -> Tensor:
    """The largest value of a mask (N, 1, H, W) within reach of every pixel."""
    return F.max_pool2d(mask, 2 * _REACH + 1, stride=1, padding=_REACH)
