"""Drawing the arm: states, actions and a code of the first frame give a picture of arm and shadow.

The state says where the arm is, so a network can draw it without looking at any later frame.
Nothing of this layer is copied from frame to frame, so it does not drift in a rollout. What the
state does not say, the side of the elbow for one, follows from the first frame and from the way
the arm has gone since: a small recurrent network over states and actions carries it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import Layers, zero
from pixelpush.image.pixels import to_unit

# The mask's and the shade's logits of a new network: little is drawn until training says so.
_TRANSPARENT = -2.0
_LIT = 3.0
# So much above 1 a shade is clipped, so that it can be exactly 1.
_BRIGHTEST = 1.02
_EMBEDDING = 256
# Sines and cosines of every entry at these multiples of half a turn a deviation.
_FREQUENCIES = (0.5, 1.0)
# Spread of a new spot, in half frames.
_SPREAD = 0.13
# Levels by which a frame differs from what lies behind where something has come before it; what
# light a shadow leaves at least; levels by which its colours may differ.
_CHANGED = 8.0
_DARKEST = 0.4
_TINT = 12.0


class Drawing(NamedTuple):
    """A drawn arm, its mask and its shadow.

    picture: float32 (N, C, H, W), levels 0..255. logit: float32 (N, 1, H, W), of the mask. shade:
    of the same shape, the light that reaches what is behind, 1 outside of the shadow.

    >>> grey = torch.full((1, 3, 8, 8), 100.0)
    >>> half = Drawing(0 * grey, torch.full((1, 1, 8, 8), -99.0), torch.full((1, 1, 8, 8), 0.5))
    >>> half.over(grey).unique().tolist()
    [50.0]
    """

    picture: Tensor
    logit: Tensor
    shade: Tensor

    def over(self, behind: Tensor, mask: Tensor | None = None) -> Tensor:
        """The arm laid over the picture behind it, levels (N, C, H, W).

            centre = b + a (picture - b),  b = shade behind

        mask: a, if it is not the drawn one."""
        mask = torch.sigmoid(self.logit) if mask is None else mask
        shaded = self.shade * behind
        return shaded + mask * (self.picture - shaded)


class DrawingLesson(NamedTuple):
    """Frames of B episodes that teach to draw the arm.

    first: uint8 (B, C, H, W). vectors: (B, T, V), normalised, from the first frame on. times: int64
    (B, K). frames: uint8 (B, K, C, H, W), those that follow the vectors at these times. behind:
    uint8 (B, C, H, W), what lies behind the arm: each pixel's median over the episode.

    >>> DrawingLesson._fields
    ('first', 'vectors', 'times', 'frames', 'behind')
    """

    first: Tensor
    vectors: Tensor
    times: Tensor
    frames: Tensor
    behind: Tensor


class ModulatedBlock(nn.Module):
    """A residual block whose channels an embedding scales and shifts (FiLM, Perez et al. 2018).

    (N, D, h, w) with an embedding (N, E) -> (N, D, h, w). A new block is the identity.

    >>> block = ModulatedBlock(4, embedding=2)
    >>> bool((block(torch.ones(1, 4, 5, 5), torch.ones(1, 2)) == 1).all())
    True
    """

    def __init__(self, channels: int, embedding: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.modulate = nn.Linear(embedding, 2 * channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        zero(self.modulate)
        zero(self.second)

    def forward(self, inputs: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulate(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.first(F.silu(inputs)) * (1 + scale) + shift
        return inputs + self.second(F.silu(hidden))


class Spots(nn.Module):
    """An embedding (N, E) -> maps of any side: a sum of spots, each a Gaussian times features.

        map(x, y) = sum over k of f_k exp(-(x - x_k)^2 / 2 w_k^2) exp(-(y - y_k)^2 / 2 h_k^2)

    Place, width, height and features of every spot come from the embedding, so that a part of the
    arm moves over the maps as a whole, by fractions of a pixel.

    >>> Spots(embedding=8, spots=3, features=2)(torch.zeros(1, 8), sides=(4, 8))[1].shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, embedding: int, spots: int, features: int):
        super().__init__()
        self.spots = spots
        self.features = features
        self.place = nn.Linear(embedding, spots * (4 + features))
        nn.init.normal_(self.place.weight, std=0.02)
        with torch.no_grad():
            bias = self.place.bias.view(spots, 4 + features)
            nn.init.uniform_(bias[:, :2], -1, 1)
            bias[:, 2:4] = math.log(_SPREAD)
            nn.init.normal_(bias[:, 4:], std=0.5)

    def forward(self, embedding: Tensor, sides: tuple[int, ...]) -> list[Tensor]:
        """Maps (N, features + 2, side, side), the last two the coordinates."""
        with torch.autocast(embedding.device.type, enabled=False):
            spots = self.place(embedding.float()).unflatten(1, (self.spots, 4 + self.features))
            return [self._draw(spots, side) for side in sides]

    def _draw(self, spots: Tensor, side: int) -> Tensor:
        centre, spread, features = spots.split((2, 2, self.features), dim=-1)
        # A spot narrower than the grid would fall between its points.
        spread = (spread.clamp(-5, 1).exp().square() + (1.4 / side) ** 2).sqrt()
        grid = (torch.arange(side, device=spots.device) + 0.5) * 2 / side - 1
        profile = torch.exp(-0.5 * ((grid - centre[..., None]) / spread[..., None]).square())
        across = profile[:, :, 0]
        down = features[..., None] * profile[:, :, 1, None]
        maps = torch.bmm(down.flatten(2).transpose(1, 2), across)
        maps = maps.unflatten(1, (self.features, side))
        rows = grid[None, None, :, None].expand(len(maps), 1, side, side)
        return torch.cat((maps, rows, rows.transpose(2, 3)), dim=1)


class ArmDrawing(nn.Module):
    """(vector (N, V), code (N, K), pose (N, P)) -> ``Drawing``.

    vector: normalised state and action at frame t; the drawing is of frame t + 1. code: of the
    first frame (``encode``); it tells stations apart: camera, light, make of the arm. pose: what
    the way since the first frame says (``begin``, ``follow``). widths: of the maps, the finest
    last, whose side is half the frame's and from which 2x2 pixels unfold.

    >>> drawing = ArmDrawing(vector=2, colours=1, size=16, widths=(8, 4))
    >>> code = drawing.encode(torch.zeros(1, 1, 16, 16, dtype=torch.uint8))
    >>> drawing(torch.zeros(1, 2), code, drawing.begin(code)).picture.shape
    torch.Size([1, 1, 16, 16])
    """

    def __init__(
        self,
        vector: int,
        colours: int,
        size: int,
        widths: tuple[int, ...] = (128, 96, 48),
        code: int = 32,
        pose: int = 128,
        spots: int = 64,
    ):
        super().__init__()
        finest = size // 2
        self.sides = tuple(finest >> level for level in reversed(range(len(widths))))
        self.colours = colours
        self.look = nn.Sequential(
            nn.Conv2d(colours, 24, 4, stride=4),
            nn.SiLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(48, 64, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )
        side = -(-size // 16)
        self.code = nn.Linear(64 * side * side, code)
        self.start = nn.Linear(code, pose)
        self.track = nn.GRUCell(vector, pose)
        self.embed = nn.Sequential(
            nn.Linear(vector * (1 + 2 * len(_FREQUENCIES)) + code + pose, _EMBEDDING),
            nn.SiLU(),
            nn.Linear(_EMBEDDING, _EMBEDDING),
            nn.SiLU(),
            nn.Linear(_EMBEDDING, _EMBEDDING),
            nn.SiLU(),
        )
        features = 24
        self.spots = Spots(_EMBEDDING, spots, features)
        self.enter = nn.ModuleList(nn.Conv2d(features + 2, width, 1) for width in widths)
        self.blocks = Layers(
            Layers(ModulatedBlock(width, _EMBEDDING) for _ in range(2)) for width in widths
        )
        self.up = nn.ModuleList(nn.Conv2d(wide, 4 * narrow, 1) for wide, narrow in pairwise(widths))
        self.leave = nn.Conv2d(widths[-1], 4 * (colours + 2), 3, padding=1)

    def encode(self, first: Tensor) -> Tensor:
        """Code (N, K) of frames uint8 (N, C, H, W).

        In float32: convolutions of maps this small have given NaN gradients in bfloat16."""
        with torch.autocast(first.device.type, enabled=False):
            return self.code(self.look(to_unit(first)))

    def begin(self, code: Tensor) -> Tensor:
        """Pose (N, P) before any state is known, in float32."""
        with torch.autocast(code.device.type, enabled=False):
            return self.start(code.float())

    def follow(self, pose: Tensor, vector: Tensor) -> Tensor:
        """Pose (N, P) once the state and action (N, V) of one more frame are known, in float32."""
        with torch.autocast(pose.device.type, enabled=False):
            return _gated(self.track, vector.float(), pose)

    def poses(self, code: Tensor, vectors: Tensor) -> Tensor:
        """Poses (B, T, P) after each of the vectors (B, T, V)."""
        pose = self.begin(code)
        followed = []
        for vector in vectors.unbind(1):
            pose = self.follow(pose, vector)
            followed.append(pose)
        return torch.stack(followed, dim=1)

    def forward(self, vector: Tensor, code: Tensor, pose: Tensor) -> Drawing:
        vector = vector.to(code.dtype)
        waves = [vector]
        for frequency in _FREQUENCIES:
            waves += [torch.sin(math.pi * frequency * vector)]
            waves += [torch.cos(math.pi * frequency * vector)]
        embedding = self.embed(torch.cat((*waves, code, pose.to(code.dtype)), dim=1))
        hidden: Tensor = vector.new_zeros(())
        for level, spots in enumerate(self.spots(embedding, self.sides)):
            if level:
                hidden = F.pixel_shuffle(self.up[level - 1](hidden), 2)
            hidden = hidden + self.enter[level](spots.contiguous(memory_format=torch.channels_last))
            for block in self.blocks[level]:
                hidden = block(hidden, embedding)
        out = F.pixel_shuffle(self.leave(F.silu(hidden)), 2).float()
        picture, logit, shade = out.split((self.colours, 1, 1), dim=1)
        return Drawing(
            (127.5 + 127.5 * picture).clamp(0, 255),
            logit + _TRANSPARENT,
            (_BRIGHTEST * torch.sigmoid(shade + _LIT)).clamp(max=1),
        )


class DrawingErrors(NamedTuple):
    """What teaches a drawing.

    composed: levels, mean distance from the target of the drawing laid over what is behind.
    covered: levels, that of the picture alone, where the arm covers what is behind. shaded: levels,
    that of what is behind in its shadow, elsewhere. mask: nats per pixel, the mask's cross-entropy
    with where the arm covers.

    >>> DrawingErrors._fields
    ('composed', 'covered', 'shaded', 'mask')
    """

    composed: Tensor
    covered: Tensor
    shaded: Tensor
    mask: Tensor


def _gated(cell: nn.GRUCell, entered: Tensor, hidden: Tensor) -> Tensor:
    """A step of a GRU (Cho et al. 2014) from plain products: the same kernels on every device.

    r, z = sigmoid(W x + U h);  n = tanh(W x + r U h);  h <- (1 - z) n + z h
    """
    new = F.linear(entered, cell.weight_ih, cell.bias_ih).chunk(3, dim=1)
    old = F.linear(hidden, cell.weight_hh, cell.bias_hh).chunk(3, dim=1)
    reset = torch.sigmoid(new[0] + old[0])
    keep = torch.sigmoid(new[1] + old[1])
    candidate = torch.tanh(new[2] + reset * old[2])
    return candidate + keep * (hidden - candidate)


def drawing_errors(drawing: Drawing, target: Tensor, behind: Tensor) -> DrawingErrors:
    """Return the errors of a drawing.

    With the first alone the mask learns nothing: an arm that is not drawn yet is best left
    transparent, and a mask that has once become so has no slope left; a faint arm everywhere and a
    faint shadow everywhere make up for each other. target, behind: uint8 (N, C,
    H, W), a frame and what lies behind its arm.

    >>> black = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    >>> drawn = Drawing(torch.zeros(1, 1, 4, 4), *torch.ones(2, 1, 1, 4, 4))
    >>> drawing_errors(drawn, black, black).composed.item()
    0.0
    """
    hidden = covered(target, behind).float()
    behind = behind.float()

    def error(picture: Tensor, where: Tensor) -> Tensor:
        distance = (picture - target).abs().mean(dim=1, keepdim=True)
        return (where * distance).sum() / where.sum().clamp(min=1)

    return DrawingErrors(
        error(drawing.over(behind), torch.ones_like(hidden)),
        error(drawing.picture, hidden),
        error(drawing.shade * behind, 1 - hidden),
        F.binary_cross_entropy_with_logits(drawing.logit, hidden),
    )


def covered(frame: Tensor, behind: Tensor) -> Tensor:
    """Where a frame differs from what lies behind, by more than a shadow: bool (N, 1, H, W).

    frame, behind: uint8 (N, C, H, W). A shadow darkens all colours by one factor.

    >>> behind = torch.tensor([100, 80, 60], dtype=torch.uint8).view(1, 3, 1, 1)
    >>> covered(behind // 2 + 10, behind).item(), covered(behind.flip(1), behind).item()
    (False, True)
    """
    frame = frame.float()
    behind = behind.float()
    changed = (frame - behind).abs().amax(dim=1, keepdim=True) > _CHANGED
    shade = frame.mean(dim=1, keepdim=True) / behind.mean(dim=1, keepdim=True).clamp(min=1)
    left = (frame - shade * behind).abs().amax(dim=1, keepdim=True)
    shadow = (shade >= _DARKEST) & (shade <= 1) & (left <= _TINT)
    return changed & ~shadow
