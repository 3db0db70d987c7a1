"""Distributions over places: they move with the flow, keep their mass, and stay where nothing
moves."""

from __future__ import annotations

import pytest
import torch

from pixelpush.vpn import build_model
from pixelpush.vpn.motion import warp
from pixelpush.vpn.points import Moving, mean_distance, mean_place, move_points, point_mass

POINTS = torch.tensor([[5.0, 9.0], [10.0, 6.0]])


def uniform_flow(columns: float, rows: float, size: int = 16) -> Moving:
    flow = torch.tensor([columns, rows]).view(1, 2, 1, 1).expand(1, 2, size, size)
    return Moving(flow, torch.ones(1, 1, size, size))


def test_a_distribution_lies_round_its_point_and_sums_to_one():
    mass = point_mass(POINTS, 16)[None]
    torch.testing.assert_close(mean_place(mass)[0], POINTS, atol=0.02, rtol=0)
    torch.testing.assert_close(mass.sum(dim=(2, 3)), torch.ones(1, 2))


@pytest.mark.parametrize(("columns", "rows"), [(1, 0), (0, -2), (1.5, 2.25)])
def test_what_is_read_from_one_side_has_moved_to_the_other(columns, rows):
    mass = point_mass(POINTS, 16)[None]
    moved = move_points(mass, uniform_flow(columns, rows))
    expected = POINTS - torch.tensor([columns, rows])
    torch.testing.assert_close(mean_place(moved)[0], expected, atol=0.05, rtol=0)
    torch.testing.assert_close(moved.sum(dim=(2, 3)), torch.ones(1, 2))


def test_only_the_share_that_the_moved_frame_has_is_moved():
    mass = point_mass(POINTS, 16)[None]
    still = uniform_flow(3, 3)._replace(share=torch.zeros(1, 1, 16, 16))
    torch.testing.assert_close(move_points(mass, still), mass)
    half = uniform_flow(2, 0)._replace(share=torch.full((1, 1, 16, 16), 0.5))
    expected = POINTS - torch.tensor([1.0, 0.0])
    torch.testing.assert_close(mean_place(move_points(mass, half))[0], expected, atol=0.05, rtol=0)


def test_a_point_that_nothing_reads_any_more_stays():
    mass = point_mass(POINTS, 16)[None]
    flow = torch.zeros(1, 2, 16, 16)
    flow[:, 0] = 12 - torch.arange(16)  # everything is read from column 12
    moved = move_points(mass, Moving(flow, torch.ones(1, 1, 16, 16)))
    torch.testing.assert_close(moved[:, 0], mass[:, 0])
    assert torch.isfinite(moved).all()


def test_the_distance_is_that_of_the_places():
    mass = point_mass(POINTS, 16, spread=0.1)[None]
    goals = torch.tensor([[5.0, 5.0], [7.0, 10.0]])
    torch.testing.assert_close(mean_distance(mass, goals), torch.tensor([[4.0, 5.0]]))


@pytest.mark.parametrize("settings", [{"encoder": "layered"}, {"motion": True}])
def test_the_flow_that_an_encoder_tells_is_the_one_that_it_moves_the_frame_by(settings):
    """With the share at 1 and no arm drawn, the composed picture is the moved frame."""
    torch.manual_seed(0)
    model = build_model("ot", frame_size=16, channels=8, lstm_channels=8, **settings).eval()
    network = model.encoder.composition if "encoder" in settings else model.encoder.motion
    with torch.no_grad():
        network.leave.weight.normal_(std=0.3)
        if "encoder" in settings:
            parts = network.leave.bias.view(9, -1)
            parts[2] = 40.0  # all of it moves,
            parts[3] = -40.0  # no arm is drawn,
            parts[7] = -40.0  # what is known is not doubted
            model.encoder.drawing.leave.bias.view(5, -1)[4] = 20.0  # no shadow
        else:
            network.leave.bias.view(3, -1)[2] = 40.0
        frame = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
        carry = model.encoder.initial(1, frame.device)
        vector = model.vectors(torch.zeros(1, 5), torch.zeros(1, 5))
        stepped = model.encoder.step(carry, frame, vector)
        *same, moving = model.encoder.step_moving(carry, frame, vector)
        torch.testing.assert_close(same[2], stepped[2])
        assert moving.flow.abs().max() > 0.5
        assert moving.share.min() > 0.99
        shown = move_points_of_a_picture(frame.float(), moving)
        torch.testing.assert_close(shown, same[2], atol=0.5, rtol=0)


def move_points_of_a_picture(picture: torch.Tensor, moving: Moving) -> torch.Tensor:
    """What ``move_points`` does to a distribution, times the brightness that the warp left."""
    moved = move_points(picture / picture.sum(dim=(2, 3), keepdim=True), moving)
    return moved * warp(picture, moving.flow).sum(dim=(2, 3), keepdim=True)


def test_an_encoder_without_a_flow_says_so():
    model = build_model("ot", frame_size=16, channels=4, lstm_channels=4)
    carry = model.encoder.initial(1, torch.device("cpu"))
    frame = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    vector = model.vectors(torch.zeros(1, 5), torch.zeros(1, 5))
    assert model.encoder.step_moving(carry, frame, vector)[3] is None
