"""The layered frame encoder: what the next frame is made of, before any of its pixels is known.

Three layers from back to front: memory of what is still (``memory.py``), the last frame moved by a
flow (``composition.py``), the arm drawn from its state (``drawing.py``). Their composition is the
picture that the decoder is centred on and sees. All are functions of the past, so the likelihood
stays exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import block_stack, coordinates
from pixelpush.image.pixels import innovation, to_unit
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.encoder import ConvLSTM, VideoEncoder
from pixelpush.vpn.layered.carry import LayeredCarry
from pixelpush.vpn.layered.coarse import WideCoarse
from pixelpush.vpn.layered.composition import Composition, Layers, Seen
from pixelpush.vpn.layered.drawing import ArmDrawing, Drawing
from pixelpush.vpn.layered.memory import Memory, empty, remember
from pixelpush.vpn.layered.objects import (
    ObjectLayer,
    Objects,
    Painted,
    Reading,
    left_homes,
    lit_frame,
    ways,
)
from pixelpush.vpn.layered.whole import WholeObjects
from pixelpush.vpn.points import Moving
from pixelpush.vpn.recompute import by_pieces

# Where a drawn mask is above this, the arm hides what lies behind; where its shadow leaves less
# light than this, readings do not belong into the memory.
_HIDES = 0.3
_SHADES = 0.96
# Around the arm that is drawn for the second frame, where the first frame may show it, in pixels.
_REACH = 2


class _Past(NamedTuple):
    seen: Seen
    drawn: Drawing
    painted: Sequence[Tensor]


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
        self.objects = None
        if self.drawing is not None and c.objects:
            code = self.drawing.code.out_features
            self.objects = ObjectLayer(c.vector_dim, code, c.colours, c.frame_size, c.objects)
        images = 6 * c.colours + 4 + (2 * c.colours + 2 if self.objects else 0)
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
        paints = self.objects is not None
        self.composition = Composition(joined, c.patch, c.colours, paints=paints)
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
            None if self.objects is None else self.objects.none(batch, c.colours, size, device),
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
        objects = carry.objects
        if self.objects is not None and objects is not None:
            lit = lit_frame(frame, shade)
            objects = self.objects.begin_new(objects, carry.seen, frame, lit)
        memory, objects, painted = self._lead(
            carry.memory, objects, frame, (arm, shade), (vector, code, None)
        )
        seen = _seen(frame, memory, arm, shade)
        convolved = self._look(vector, *seen, *drawn, *painted)
        lstm = self.lstm.step(carry.lstm, self.lstm.from_input(convolved))
        features, layers = self._leave(lstm.hidden, convolved, seen, drawn, painted)
        begun = torch.ones_like(carry.seen)
        carry = LayeredCarry(lstm, memory, code, pose, begun, mask, drawn.shade, objects)
        return carry, features, layers

    def forward(
        self,
        frames: Tensor,
        vectors: Tensor,
        recompute: bool = False,
        labels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Encode all frames at once, equal to ``step`` after ``step``.

        frames: uint8 (B, T, C, H, W). vectors: (B, T, V). Returns features (B, T, D, g, g) and
        composed pictures (B, T, C, H, W). recompute: keep only the inputs of the convolutions for
        the backward pass. labels: (B, T + 1, N, 2), the true places of objects in these frames and
        the next, NaN where there is none; with it objects go where these go."""
        sizes = frames.shape[:2]
        past, _ = self._past(frames, vectors, labels)
        inputs = (vectors.flatten(0, 1), *past.seen, *past.drawn, *past.painted)
        convolved = by_pieces(self._look, *inputs) if recompute else self._look(*inputs)
        # Channels stay last in memory, as the convolutions want them.
        gates = self.lstm.from_input(convolved).permute(0, 2, 3, 1).unflatten(0, sizes)
        lstm = self.initial(len(frames), frames.device).lstm
        hidden = []
        for frame_gates in gates.unbind(1):
            lstm = self.lstm.step(lstm, frame_gates.permute(0, 3, 1, 2))
            hidden.append(lstm.hidden.permute(0, 2, 3, 1))
        remembered = torch.stack(hidden, dim=1).flatten(0, 1).permute(0, 3, 1, 2)
        features, layers = self._leave(remembered, convolved, *past)
        return features.unflatten(0, sizes), layers.centre.unflatten(0, sizes)

    def _past(
        self, frames: Tensor, vectors: Tensor, labels: Tensor | None = None
    ) -> tuple[_Past, list[Objects]]:
        """What is known after each frame, flattened to (B T, ...), and the objects in the next.

        Arguments of ``forward``."""
        batch, length = sizes = frames.shape[:2]
        with torch.no_grad():  # the drawing is taught by its own error alone
            drawn = self.draw(frames[:, 0], vectors)
            masks = torch.sigmoid(drawn.logit).unflatten(0, sizes)
            arms = torch.cat((_widened(masks[:, 0])[:, None], masks[:, :-1]), dim=1) > _HIDES
            shades = drawn.shade.unflatten(0, sizes)
            shades = torch.cat((shades[:, :1], shades[:, :-1]), dim=1)
        carry = self.initial(batch, frames.device)
        memory, objects, code, told = carry.memory, carry.objects, carry.code, None
        if self.objects is not None and self.drawing is not None:
            with torch.no_grad():
                code = self.drawing.encode(frames[:, 0]).float()
            objects = self.objects.begin(frames[:, 0], lit_frame(frames[:, 0], shades[:, 0]))
            told = None if labels is None else ways(objects.found, labels)
        memories, paintings, led = [], [], []
        for time in range(length):
            next_places = None if told is None else told[:, time + 1]
            known = arms[:, time], shades[:, time]
            memory, objects, painted = self._lead(
                memory, objects, frames[:, time], known, (vectors[:, time], code, next_places)
            )
            memories.append(memory)
            paintings.append(painted)
            led += [] if objects is None else [objects]
        known = arms.flatten(0, 1), shades.flatten(0, 1)
        seen = _seen(frames.flatten(0, 1), Memory(*_over_time(memories)), *known)
        return _Past(seen, drawn, _over_time(paintings)), led

    @torch.no_grad()
    def whole_objects(self, frames: Tensor, vectors: Tensor) -> WholeObjects:
        """How the frames after these look where objects go along their ways and stay whole.

        Arguments of ``forward``. The model must have objects."""
        sizes = frames.shape[:2]
        past, led = self._past(frames, vectors)
        painted = Painted(*past.painted)
        sprites = past.drawn.shade * painted.next / painted.next_mask.clamp(min=1e-3)
        homes = torch.stack([left_homes(objects) for objects in led], dim=1)
        mask, arm = painted.next_mask, torch.sigmoid(past.drawn.logit)
        sprites, mask, arm = (part.unflatten(0, sizes) for part in (sprites, mask, arm))
        return WholeObjects(sprites, mask, arm, homes)

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

    def _lead(
        self,
        memory: Memory,
        objects: Objects | None,
        frame: Tensor,
        arm: tuple[Tensor, Tensor],
        pushing: tuple[Tensor, Tensor, Tensor | None],
    ) -> tuple[Memory, Objects | None, Sequence[Tensor]]:
        """Take a frame into the memory and lead the objects to the next.

        arm: where it is, and the light that its shadow leaves. pushing: vector, code, and next
        places that are told. Returns memory, objects and the fields of ``Painted``, () where the
        model has no objects."""
        mask, shade = arm
        hidden = mask | (shade < _SHADES)
        if self.objects is None or objects is None:
            return remember(memory, frame, hidden, self.config.still_levels), None, ()
        reading = Reading(frame, hidden, self.config.still_levels)
        return self.objects.lead(objects, *pushing, memory, reading)

    def _look(self, vector: Tensor, *maps: Tensor) -> Tensor:
        """The part without recurrence, of N frames: (N, channels, g, g).

        maps: the fields of ``Seen``, ``Drawing`` and, with objects, ``Painted``; apart, for
        ``by_pieces``."""
        split = len(Seen._fields)
        drawn_to = split + len(Drawing._fields)
        seen = Seen(*maps[:split])
        drawn = Drawing(*maps[split:drawn_to])
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
        if self.objects is not None:
            painted = Painted(*maps[drawn_to:])
            frame_lit = seen.lit
            pictures += (
                innovation(painted.last, painted.last_mask * frame_lit),
                painted.last_mask,
                innovation(painted.next, painted.next_mask * known),
                painted.next_mask,
            )
        folded = F.pixel_unshuffle(torch.cat(pictures, dim=1), self.config.patch)
        vectors = vector[:, :, None, None].expand(-1, -1, *folded.shape[-2:])
        inputs = torch.cat((folded, coordinates(folded), vectors), dim=1)
        hidden = self.blocks(self.enter(inputs.contiguous(memory_format=torch.channels_last)))
        return hidden if self.coarse is None else self.coarse(hidden, vector.to(hidden.dtype))

    def _leave(
        self,
        hidden: Tensor,
        convolved: Tensor,
        seen: Seen,
        drawn: Drawing,
        painted: Sequence[Tensor] = (),
    ) -> tuple[Tensor, Layers]:
        joined = torch.cat((hidden.to(convolved.dtype), convolved), dim=1)
        layers = self.composition(joined, seen, drawn, Painted(*painted) if painted else None)
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


def _over_time(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Tuples of (B, ...), one for each time, as one list of (B T, ...)."""
    return [torch.stack(part, dim=1).flatten(0, 1) for part in zip(*parts, strict=True)]


def _widened(mask: Tensor) -> Tensor:
    """The largest value of a mask (N, 1, H, W) within reach of every pixel."""
    return F.max_pool2d(mask, 2 * _REACH + 1, stride=1, padding=_REACH)
