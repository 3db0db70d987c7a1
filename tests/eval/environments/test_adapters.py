"""The interfaces of VP2 and stable-worldmodel: their documented shapes, and the model's own values
behind them."""

from __future__ import annotations

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.environments.adapters import VP2Model, WorldModelCost
from pixelpush.vpn import build_model


def video(batch: int, length: int = 2) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (batch, length, 3, 16, 16), generator=draw) / 255


def test_vp2_gets_given_and_predicted_frames_between_0_and_1(tiny_model):
    """VP2's README: video (B, T, C, H, W) and actions (B, T, A) give rgb (B, T + n_pred, ...)."""
    actions = torch.rand(3, 5, 5) * 2 - 1
    states = torch.zeros(3, 2, 5)
    batch = {"video": video(3), "actions": actions, "states": states}
    model = VP2Model(tiny_model, -torch.ones(5), 3 * torch.ones(5))
    rgb = model(batch)["rgb"]
    assert rgb.shape == (3, 2 + 4, 3, 16, 16)
    assert rgb.dtype == torch.float32
    torch.testing.assert_close(rgb[:, :2], batch["video"])
    frames = (batch["video"] * 255).round().byte()
    out = tiny_model.rollout(
        frames,
        states,
        2 * actions + 1,  # -1 to 1 stretched to -1 to 3
        [torch.Generator().manual_seed(number) for number in range(3)],
        temperature=0.5,
        steps=4,
    )
    torch.testing.assert_close(rgb[:, 2:], out.frames.float() / 255)


def test_vp2_without_a_state_needs_none():
    model = build_model("ot", state_dim=0, frame_size=16, channels=4, lstm_channels=4).eval()
    batch = {"video": video(1), "actions": torch.zeros(1, 3, 5)}
    assert VP2Model(model)(batch)["rgb"].shape == (1, 4, 3, 16, 16)


def test_vp2_mistakes(tiny_model):
    model = VP2Model(tiny_model)
    batch = {"video": video(1), "actions": torch.zeros(1, 3, 5)}
    with pytest.raises(InputError, match='give "states"'):
        model(batch)
    with pytest.raises(InputError, match="no gradient"):
        model(batch, grad_enabled=True)
    with pytest.raises(InputError, match="predict nothing"):
        model({**batch, "actions": torch.zeros(1, 1, 5)})
    with pytest.raises(InputError, match="are needed, got"):
        model({**batch, "actions": torch.zeros(2, 3, 5)})


def info_of(batch: int, samples: int) -> dict[str, torch.Tensor]:
    """As stable-worldmodel's solvers expand it: the same for every sample."""
    pixels = (video(batch) * 255).round().byte()
    return {
        name: value[:, None].expand(-1, samples, *value.shape[1:])
        for name, value in {
            "pixels": pixels,
            "goal": pixels.flip(0),
            "state": torch.zeros(batch, 2, 5),
            "action": torch.zeros(batch, 1, 5),
            "point": torch.tensor([[4.0, 9.0]]).expand(batch, 2),
            "goal_point": torch.tensor([[12.0, 9.0]]).expand(batch, 2),
        }.items()
    }


@pytest.mark.parametrize("followed", [True, False])
def test_a_cost_for_every_candidate(tiny_model, followed):
    """(B, S) costs; each is that of the candidate alone."""
    info = info_of(2, 3)
    if not followed:
        del info["point"]
    candidates = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(2))
    model = WorldModelCost(tiny_model, prediction="mean")
    costs = model.get_cost(info, candidates)
    assert costs.shape == (2, 3)
    assert costs.dtype == torch.float32
    assert costs.std() > 0
    one = {name: value[1:, 2:] for name, value in info.items()}
    alone = model.get_cost(one, candidates[1:, 2:])
    torch.testing.assert_close(alone[0, 0], costs[1, 2], rtol=0.01, atol=0.01)


def test_a_goal_that_is_what_will_be_costs_nothing(tiny_model):
    info = info_of(1, 1)
    del info["point"]
    candidates = torch.zeros(1, 1, 2, 5)
    model = WorldModelCost(tiny_model, prediction="mean")
    moment = model.world.begin(info["pixels"][0], info["state"][0], info["action"][0])
    for time in range(2):
        moment = model.world.step(moment, candidates[0, :, time])
    info["goal"] = moment.frame[None, :, None]
    assert model.get_cost(info, candidates).item() == 0


def test_cost_mistakes(tiny_model):
    model = WorldModelCost(tiny_model)
    info = info_of(1, 2)
    with pytest.raises(InputError, match=r"candidates \(B, S, n, A\)"):
        model.get_cost(info, torch.zeros(2, 3, 5))
    with pytest.raises(InputError, match="first two axes"):
        model.get_cost(info, torch.zeros(1, 3, 4, 5))
    del info["state"]
    with pytest.raises(InputError, match="'state' is missing"):
        model.get_cost(info, torch.zeros(1, 2, 4, 5))
