"""PixelRNN layers against slow versions that walk over the pixels one by one."""

from __future__ import annotations

import pytest
import torch

from pixelpush.image.pixelrnn import DiagonalBiLSTMLayer, DiagonalLSTM, RowLSTMLayer, skew, unskew


def cell_step(gates, hidden_terms, cell):
    """One LSTM cell of one pixel, written out."""
    output, forget, enter, content = (gates + hidden_terms).chunk(4)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(content)
    return torch.sigmoid(output) * torch.tanh(cell), cell


def randomised(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.7)
    return module.double()


@pytest.mark.parametrize(("height", "width"), [(1, 5), (4, 3), (5, 1), (3, 6)])
def test_skewing_moves_each_row_by_its_number(height, width):
    inputs = torch.randn(2, 3, height, width)
    skewed = skew(inputs)
    assert skewed.shape == (2, 3, height, width + height - 1)
    for row in range(height):
        assert torch.equal(skewed[:, :, row, row : row + width], inputs[:, :, row])
        assert (skewed[:, :, row, :row] == 0).all()
        assert (skewed[:, :, row, row + width :] == 0).all()
    assert torch.equal(unskew(skewed, width), inputs)


def slow_diagonal(layer: DiagonalLSTM, gates: torch.Tensor) -> torch.Tensor:
    """A pixel's state from its left and its upper neighbour, in raster order."""
    _, channels4, height, width = gates.shape
    weight, channels = layer.state_to_state.weight, channels4 // 4
    hidden, cell = {}, {}
    border = (layer.initial.hidden, layer.initial.cell)
    for row in range(height):
        for column in range(width):
            left = hidden.get((row, column - 1), border[0])
            above = hidden.get((row - 1, column), border[0])
            terms = weight[:, :, 0] @ above + weight[:, :, 1] @ left
            before = cell.get((row, column - 1), border[1])
            hidden[row, column], cell[row, column] = cell_step(
                gates[0, :, row, column], terms, before
            )
    return torch.stack([hidden[r, c] for r in range(height) for c in range(width)], 1).view(
        1, channels, height, width
    )


@pytest.mark.parametrize(("height", "width"), [(4, 4), (2, 5), (5, 2)])
def test_the_diagonal_lstm_equals_a_walk_over_the_pixels(height, width):
    layer = randomised(DiagonalLSTM(3))
    gates = torch.randn(1, 12, height, width, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(layer(gates), slow_diagonal(layer, gates))


def test_the_right_direction_is_mirrored_and_moved_down_a_row():
    layer = randomised(DiagonalBiLSTMLayer(2, 0))
    inputs = torch.randn(1, 4, 4, 5, dtype=torch.float64)
    with torch.no_grad():
        gates = layer.input_to_state(inputs)
        left = slow_diagonal(layer.left, gates[:, :8])
        right = slow_diagonal(layer.right, gates[:, 8:].flip(3)).flip(3)
        expected = left.clone()
        expected[:, :, 1:] += right[:, :, :-1]
        assert torch.allclose(layer(inputs, None), expected)


def test_the_row_lstm_equals_a_walk_over_the_pixels():
    layer = randomised(RowLSTMLayer(2, 3))
    inputs, conditioning = (
        torch.randn(1, 4, 4, 5, dtype=torch.float64),
        torch.randn(1, 3, 4, 5, dtype=torch.float64),
    )
    outside = torch.zeros(2, dtype=torch.float64)
    hidden, cell = {}, {}
    with torch.no_grad():
        enter, across = layer.input_to_state, layer.state_to_state.weight
        extra = layer.condition(conditioning)
        for row in range(4):
            for column in range(5):
                gates = (
                    enter.weight[:, :, 0, 1] @ inputs[0, :, row, column]
                    + enter.bias
                    + extra[0, :, row, column]
                )
                if column:
                    gates = gates + enter.weight[:, :, 0, 0] @ inputs[0, :, row, column - 1]
                terms = torch.zeros(8, dtype=torch.float64)
                for tap in range(3):
                    place = column + tap - 1
                    above = (
                        layer.initial.hidden
                        if row == 0
                        else hidden[row - 1, place]
                        if 0 <= place < 5
                        else outside
                    )
                    terms = terms + across[:, :, tap] @ (above if 0 <= place < 5 else outside)
                before = layer.initial.cell if row == 0 else cell[row - 1, column]
                hidden[row, column], cell[row, column] = cell_step(gates, terms, before)
        actual = layer(inputs, conditioning)
    for (row, column), expected in hidden.items():
        assert torch.allclose(actual[0, :, row, column], expected)
