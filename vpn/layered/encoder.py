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
from pixelpush.vpn.layered.composition import Composition, Layers
from pixelpush.vpn.layered.drawing import ArmDrawing, Drawing
from pixelpush.vpn.layered.memory import Memory, empty, remember
from pixelpush.vpn.points import Moving
from pixelpush.vpn.recompute import by_pieces

# Widths of the drawing's maps by their side, 4 first; the last ones serve larger frames too.
_DRAWING_WIDTHS = (192, 128, 96, 48)
_COARSE_WIDTH = 128  # at most, of the coarse scales


class LayeredCarry(NamedTuple):
    """What passes from frame to frame in the layered encoder.

    lstm: the ConvLSTM's carry. memory: of what is still. code: (B, K), of the first frame. seen:
    (B, 1), 0 before it. mask: (B, 1, H, W), where the arm was drawn for the frame that comes next.

    >>> encoder = LayeredEncoder(VideoConfig(frame_size=8, coarse_scales=0, encoder="layered"))
    >>> encoder.initial(2, torch.device("cpu")).seen.shape
    torch.Size([2, 1])
    """

    lstm: EncoderCarry
    memory: Memory
    code: Tensor
    seen: Tensor
    mask: Tensor


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
        widths = _DRAWING_WIDTHS[: (c.frame_size // 4).bit_length() - 1]
        widths += widths[-1:] * ((c.frame_size // 4).bit_length() - 1 - len(widths))
        # Without a state nothing says where the arm is: then it is not drawn.
        draws = c.state_dim > 0
        self.drawing = ArmDrawing(c.vector_dim, c.colours, c.frame_size, widths) if draws else None
        images = 5 * c.colours + 2
        inputs = images * c.patch**2 + 2 + c.vector_dim
        self.enter = nn.Conv2d(inputs, c.channels, 3, padding=1)
        self.blocks = block_stack(c.encoder_block, c.channels, c.encoder_blocks)
        scales = c.coarse_scales
        block = c.encoder_block
        self.coarse = WideCoarse(c.channels, scales, c.vector_dim, block) if scales else None
        self.lstm = ConvLSTM(c.channels, c.lstm_channels)
        joined = c.channels + c.lstm_channels
        self.composition = Composition(joined, c.patch)
        # All group networks read the same features: projecting them once is half of a step.
        self.project = nn.Conv2d(joined + 3 * c.colours * c.patch**2, c.feature_channels, 1)
        self.features = c.feature_channels

    def initial(self, batch: int, device: torch.device) -> LayeredCarry:
        c = self.config
        size = c.frame_size
        zeros = torch.zeros(batch, 1, size, size, device=device)
        code = self.drawing.code.out_features if self.drawing is not None else 0
        return LayeredCarry(
            self.lstm.initial(batch, c.grid, c.grid, device),
            empty(batch, c.colours, size, size, device),
            torch.zeros(batch, code, device=device),
            torch.zeros(batch, 1, device=device),
            zeros,
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
        memory = self._remember(carry.memory, frame, carry.mask)
        code = carry.code
        if self.drawing is not None:
            code = torch.where(carry.seen > 0, code, self.drawing.encode(frame).float())
        drawn = self._draw(vector, code, frame)
        convolved = self._look(frame, memory.mean, memory.count, drawn.picture, drawn.logit, vector)
        lstm = self.lstm.step(carry.lstm, self.lstm.from_input(convolved))
        features, layers = self._leave(lstm.hidden, convolved, frame, memory.mean, drawn)
        mask = torch.sigmoid(drawn.logit)
        return LayeredCarry(lstm, memory, code, torch.ones_like(carry.seen), mask), features, layers

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
        carry = self.initial(batch, frames.device)
        memory = carry.memory
        mask = carry.mask
        masks = torch.sigmoid(drawn.logit).unflatten(0, sizes)
        means = []
        counts = []
        for time in range(length):
            memory = self._remember(memory, frames[:, time], mask)
            means.append(memory.mean)
            counts.append(memory.count)
            mask = masks[:, time]
        mean = torch.stack(means, 1).flatten(0, 1)
        count = torch.stack(counts, 1).flatten(0, 1)
        inputs = flat, mean, count, drawn.picture, drawn.logit, vector
        convolved = by_pieces(self._look, *inputs) if recompute else self._look(*inputs)
        # Channels stay last in memory, as the convolutions want them.
        gates = self.lstm.from_input(convolved).permute(0, 2, 3, 1).unflatten(0, sizes)
        lstm = carry.lstm
        hidden = []
        for frame_gates in gates.unbind(1):
            lstm = self.lstm.step(lstm, frame_gates.permute(0, 3, 1, 2))
            hidden.append(lstm.hidden.permute(0, 2, 3, 1))
        remembered = torch.stack(hidden, dim=1).flatten(0, 1).permute(0, 3, 1, 2)
        features, layers = self._leave(remembered, convolved, flat, mean, drawn)
        return features.unflatten(0, sizes), layers.centre.unflatten(0, sizes)

    def draw(self, first: Tensor, vectors: Tensor) -> Drawing:
        """Draw the frames that follow vectors (B, T, V), flattened to (B T, ...).

        first: uint8 (B, C, H, W), the episode's first frame."""
        length = vectors.shape[1]
        flat = vectors.flatten(0, 1)
        blank = first[:, None].expand(-1, length, -1, -1, -1).flatten(0, 1)
        if self.drawing is None:
            return self._draw(flat, flat[:, :0], blank)
        code = self.drawing.encode(first)[:, None].expand(-1, length, -1).flatten(0, 1)
        return self._draw(flat, code, blank)

    def _draw(self, vector: Tensor, code: Tensor, like: Tensor) -> Drawing:
        if self.drawing is None:
            blank = torch.zeros_like(like, dtype=torch.float32)
            return Drawing(blank, blank[:, :1] - 20)
        return self.drawing(vector, code)

    def _remember(self, memory: Memory, frame: Tensor, mask: Tensor) -> Memory:
        return remember(memory, frame, mask >= 0.5, self.config.still_levels)

    def _look(
        self,
        frame: Tensor,
        memory: Tensor,
        count: Tensor,
        picture: Tensor,
        logit: Tensor,
        vector: Tensor,
    ) -> Tensor:
        """The part without recurrence, of N frames: (N, channels, g, g)."""
        seen = (
            to_unit(frame),
            innovation(frame, memory),
            innovation(picture, frame),
            2 * torch.sigmoid(logit) - 1,
            memory / 127.5 - 1,
            innovation(picture, memory),
            1 / count.clamp(min=1),
        )
        folded = F.pixel_unshuffle(torch.cat(seen, dim=1), self.config.patch)
        maps = vector[:, :, None, None].expand(-1, -1, *folded.shape[-2:])
        inputs = torch.cat((folded, coordinates(folded), maps), dim=1)
        hidden = self.blocks(self.enter(inputs.contiguous(memory_format=torch.channels_last)))
        return hidden if self.coarse is None else self.coarse(hidden, vector.to(hidden.dtype))

    def _leave(
        self, hidden: Tensor, convolved: Tensor, frame: Tensor, memory: Tensor, drawn: Drawing
    ) -> tuple[Tensor, Layers]:
        joined = torch.cat((hidden.to(convolved.dtype), convolved), dim=1)
        layers = self.composition(joined, frame, memory, drawn)
        centre = layers.centre
        seen = (centre / 127.5 - 1, innovation(centre, frame), innovation(centre, memory))
        folded = F.pixel_unshuffle(torch.cat(seen, dim=1), self.config.patch).to(joined.dtype)
        return self.project(torch.cat((joined, folded), dim=1)), layers
