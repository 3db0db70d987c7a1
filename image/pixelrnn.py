"""PixelRNN: Row LSTM and Diagonal BiLSTM (van den Oord et al. 2016a, sections 3.1-3.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.causal import CausalConv2d
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import CIFAR, DOWNSAMPLED, MNIST, SMALL_CIFAR, ImageKind, ImagePreset
from pixelpush.image.layers import Layers, MaskedConv2d
from pixelpush.image.model import RasterModel
from pixelpush.image.pixels import to_unit
from pixelpush.image.raster import RasterTrunk
from pixelpush.published import cifar10_words, imagenet_words, mnist_words


@dataclass(frozen=True)
class PixelRNNConfig(ImageConfig):
    """Sizes of a PixelRNN; the defaults are the paper's for CIFAR-10.

    channels: h, the width of the LSTM. hidden: width of the 1x1 layer on top. residual: whether
    every LSTM layer has a residual connection around it.

    >>> PixelRNNConfig("row-lstm", channels=16).layers
    12
    """

    channels: int = 128
    layers: int = 12
    hidden: int = 1024
    first_kernel: int = 7
    residual: bool = True


def lstm_cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Return (hidden, cell) of one LSTM step (van den Oord et al. 2016a, equation 3).

    c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c')

    gates: (N, 4 D, ...), the sums o, f, i, g (output, forget, input, candidate) in the order of the
    saved weights. cell: (N, D, ...).

    >>> lstm_cell(torch.zeros(1, 8), torch.ones(1, 2))[1]
    tensor([[0.5000, 0.5000]])
    """
    output_gate, forget_gate, input_gate, candidate = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget_gate) * cell + torch.sigmoid(input_gate) * torch.tanh(candidate)
    return torch.sigmoid(output_gate) * torch.tanh(cell), cell


class InitialState(nn.Module):
    """The learned hidden and cell state outside the image, one number per channel.

    >>> hidden, cell = InitialState(4)(2, 8)
    >>> hidden.shape
    torch.Size([2, 4, 8])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.hidden = nn.Parameter(torch.zeros(channels))
        self.cell = nn.Parameter(torch.zeros(channels))

    def forward(self, count: int, *size: int) -> tuple[Tensor, Tensor]:
        shape = (1, -1) + (1,) * len(size)
        return tuple(
            state.view(shape).expand(count, -1, *size) for state in (self.hidden, self.cell)
        )  # type: ignore


class RowLSTMLayer(nn.Module):
    """One Row LSTM: a whole row at a time, from the row above (section 3.1).

    State-to-state is a 3x1 convolution, input-to-state a masked 3x1 convolution.

    >>> RowLSTMLayer(channels=2, conditioning=0)(torch.zeros(1, 4, 5, 5), None).shape
    torch.Size([1, 2, 5, 5])
    """

    def __init__(self, channels: int, conditioning: int):
        super().__init__()
        # The masked 3x1 convolution lets the left and the present position in: a 2-wide window that
        # ends here.
        self.input_to_state = CausalConv2d(2 * channels, 4 * channels, (1, 2), "right")
        self.state_to_state = nn.Conv1d(channels, 4 * channels, 3, padding=1, bias=False)
        self.initial = InitialState(channels)
        self.condition = nn.Conv2d(conditioning, 4 * channels, 1) if conditioning else None

    def forward(self, inputs: Tensor, conditioning: Tensor | None) -> Tensor:
        gates = self.input_to_state(inputs)
        if self.condition is not None and conditioning is not None:
            gates = gates + self.condition(conditioning)
        hidden, cell = self.initial(len(inputs), inputs.shape[3])
        rows = []
        for row in gates.unbind(2):
            hidden, cell = lstm_cell(row + self.state_to_state(hidden), cell)
            rows.append(hidden)
        return torch.stack(rows, dim=2)


def skew(inputs: Tensor) -> Tensor:
    """Turn (N, C, H, W) into (N, C, H, W + H - 1): row r moves r positions to the right (figure 3).

    Zeros stand elsewhere.

    >>> skew(torch.ones(1, 1, 2, 2))[0, 0].tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    """
    height, width = inputs.shape[2:]
    # Rows padded to W + H and read with a row length of W + H - 1 slide one more position each.
    flat = F.pad(inputs, (0, height)).flatten(2)[:, :, : height * (width + height - 1)]
    return flat.unflatten(2, (height, width + height - 1))


def unskew(skewed: Tensor, width: int) -> Tensor:
    """Undo ``skew``: (N, C, H, W + H - 1) -> (N, C, H, W).

    >>> unskew(skew(torch.ones(1, 1, 2, 2)), 2)[0, 0].tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    height = skewed.shape[2]
    flat = F.pad(skewed.flatten(2), (0, height))
    return flat.unflatten(2, (height, width + height))[..., :width]


class DiagonalLSTM(nn.Module):
    """One direction of the Diagonal BiLSTM: from the top left corner, a diagonal at a time.

    The state at a pixel comes from its left and upper neighbours (2x1 state-to-state in the skewed
    map); outside the image it is the learned initial state.

    >>> DiagonalLSTM(2)(torch.zeros(1, 8, 4, 5)).shape
    torch.Size([1, 2, 4, 5])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.state_to_state = nn.Conv1d(channels, 4 * channels, 2, bias=False)
        self.initial = InitialState(channels)

    def forward(self, gates: Tensor) -> Tensor:
        """Input-to-state sums (N, 4h, H, W) -> hidden states (N, h, H, W)."""
        count, _, height, width = gates.shape
        inside = skew(gates.new_ones(1, 1, height, width)) > 0
        outside = self.initial(count, height)
        border = self.initial(count, 1)[0]
        hidden, cell = outside
        columns = []
        for diagonal, valid in zip(skew(gates).unbind(3), inside.unbind(3), strict=True):
            # On a skewed map all pixels of a column are independent. In the column before, row r is
            # the left neighbour of row r, and row r - 1 the one above it.
            neighbours = torch.cat((border, hidden), dim=2)
            # The cell continues along the same skewed row: from the left neighbour.
            hidden, cell = lstm_cell(diagonal + self.state_to_state(neighbours), cell)
            hidden = torch.where(valid, hidden, outside[0])
            cell = torch.where(valid, cell, outside[1])
            columns.append(hidden)
        return unskew(torch.stack(columns, dim=3), width)


class DiagonalBiLSTMLayer(nn.Module):
    """Both directions of the Diagonal BiLSTM (section 3.2).

    The right direction's map is shifted down a row before it is added, so that a pixel's state
    contains no later pixel.

    >>> DiagonalBiLSTMLayer(channels=2, conditioning=0)(torch.zeros(1, 4, 5, 5), None).shape
    torch.Size([1, 2, 5, 5])
    """

    def __init__(self, channels: int, conditioning: int):
        super().__init__()
        self.input_to_state = nn.Conv2d(2 * channels, 8 * channels, 1)
        self.left = DiagonalLSTM(channels)
        self.right = DiagonalLSTM(channels)
        self.condition = nn.Conv2d(conditioning, 8 * channels, 1) if conditioning else None

    def forward(self, inputs: Tensor, conditioning: Tensor | None) -> Tensor:
        gates = self.input_to_state(inputs)
        if self.condition is not None and conditioning is not None:
            gates = gates + self.condition(conditioning)
        for_left, for_right = gates.chunk(2, dim=1)
        # Mirrored, the same recurrence runs from the top right corner.
        right = self.right(for_right.flip(3)).flip(3)
        return self.left(for_left) + F.pad(right, (0, 0, 1, 0))[:, :, :-1]


LAYERS = {"row": RowLSTMLayer, "diagonal": DiagonalBiLSTMLayer}


class PixelRNNTrunk(RasterTrunk):
    """The trunk of table 1: a 7x7 convolution (mask A), LSTM layers, a 1x1 layer.

    recurrence: 'row' or 'diagonal'. channels: h; between layers there are 2h features, which a 1x1
    convolution makes of the LSTM's h. hidden: width of the 1x1 layer, with a ReLU before and after
    it.

    >>> trunk = PixelRNNTrunk("row", in_colours=3, channels=2, layers=1, hidden=4)
    >>> trunk(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(
        self,
        recurrence: str,
        in_colours: int,
        channels: int,
        layers: int,
        hidden: int,
        conditioning_channels: int = 0,
        residual: bool = True,
        first_kernel: int = 7,
    ):
        super().__init__()
        self.enter = MaskedConv2d(in_colours, 2 * channels, first_kernel, "A")
        self.layers = nn.ModuleList(
            LAYERS[recurrence](channels, conditioning_channels) for _ in range(layers)
        )
        self.ups = Layers(nn.Conv2d(channels, 2 * channels, 1) for _ in range(layers))
        self.skips = nn.ModuleList(nn.Conv2d(channels, 2 * channels, 1) for _ in range(layers))
        self.leave = nn.Conv2d(2 * channels, hidden, 1)
        self.residual = residual
        self.out_channels = hidden
        # One column beyond the image: without it the last pixel of a row could not be seen from the
        # far left of the next one (masked inputs leave out the present pixel).
        self.margin = int(recurrence == "diagonal")
        for up in self.ups:
            nn.init.normal_(up.weight, std=1 / math.sqrt(channels))

    def forward(self, image: Tensor, conditioning: Tensor | None = None) -> Tensor:
        width = image.shape[3]
        values = self.enter(F.pad(to_unit(image).to(self.enter.weight.dtype), (0, self.margin)))
        if conditioning is not None:
            conditioning = F.pad(conditioning, (0, self.margin))
        total = torch.zeros_like(values)
        for layer, up, skip in zip(self.layers, self.ups, self.skips, strict=True):
            states = layer(values, conditioning)
            values = values + up(states) if self.residual else up(states)
            total = total + skip(states)
        return F.relu(self.leave(F.relu(total + values)[..., :width]))


def build(recurrence: str, c: PixelRNNConfig) -> RasterModel:
    """Return a new PixelRNN; recurrence: 'row' or 'diagonal'.

    >>> c = PixelRNNConfig("row-lstm", image_size=8, channels=4, layers=1, hidden=8)
    >>> build("row", c).evaluations
    192
    """
    return RasterModel(
        c,
        lambda conditioning: PixelRNNTrunk(
            recurrence,
            c.colours,
            c.channels,
            c.layers,
            c.hidden,
            conditioning,
            c.residual,
            c.first_kernel,
        ),
    )


# van den Oord et al. 2016a, section 4: sizes of the models on MNIST, CIFAR-10, ImageNet 32 and 64.
ROW_LSTM = ImageKind(
    name="row-lstm",
    label="Row LSTM",
    config=PixelRNNConfig,
    build=partial(build, "row"),
    distribution="softmax",
    presets={
        "paper-cifar-row-lstm": ImagePreset(
            CIFAR, "paper-pixelrnn", "cifar10", expected=cifar10_words("Row LSTM")
        ),
        "paper-imagenet32-row-lstm": ImagePreset(
            {**CIFAR, "channels": 384},
            "paper-pixelrnn-imagenet32",
            DOWNSAMPLED.format(32),
            expected=imagenet_words("PixelRNN", 32),
        ),
        "paper-imagenet64-row-lstm": ImagePreset(
            {**CIFAR, "image_size": 64, "channels": 512, "layers": 4, "residual": False},
            "paper-pixelrnn-imagenet64",
            DOWNSAMPLED.format(64),
            expected=imagenet_words("PixelRNN", 64),
        ),
        "mnist-small-row-lstm": ImagePreset(
            {**MNIST, "channels": 16, "layers": 3, "hidden": 32}, "small-lstm", "mnist"
        ),
        "cifar-small-row-lstm": ImagePreset(
            {**SMALL_CIFAR, "channels": 24, "layers": 3, "hidden": 64}, "small-lstm", "cifar10"
        ),
    },
)
DIAGONAL_BILSTM = ImageKind(
    name="diagonal-bilstm",
    label="Diagonal BiLSTM",
    config=PixelRNNConfig,
    build=partial(build, "diagonal"),
    distribution="softmax",
    presets={
        "paper-mnist-diagonal-bilstm": ImagePreset(
            {**MNIST, "channels": 16, "layers": 7, "hidden": 32},
            "paper-pixelrnn",
            "mnist",
            expected=mnist_words("Diagonal BiLSTM"),
        ),
        "paper-cifar-diagonal-bilstm": ImagePreset(
            CIFAR, "paper-pixelrnn", "cifar10", expected=cifar10_words("Diagonal BiLSTM")
        ),
        "mnist-small-diagonal-bilstm": ImagePreset(
            {**MNIST, "channels": 16, "layers": 3, "hidden": 32}, "small-lstm", "mnist"
        ),
        "cifar-small-diagonal-bilstm": ImagePreset(
            {**SMALL_CIFAR, "channels": 24, "layers": 2, "hidden": 64}, "small-lstm", "cifar10"
        ),
    },
)
