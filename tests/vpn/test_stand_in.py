"""Every video model on a device that is not the CPU: no host read, no CPU tensor, the same
numbers."""

from __future__ import annotations

import pytest
import torch
from stand_in import DEVICE, held, stand_in
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.vpn import build_model
from pixelpush.vpn.graph import cloned, overwrite, plain_step, static_inputs
from pixelpush.vpn.presets import model_presets
from pixelpush.vpn.super_resolution import build_upscaler

SMALL = {"size": 4, "coarse_scales": 0}
PLAIN = {"centred": False, "patch": 1, "skip": False, "coarse_scales": 0}
VARIANTS = [
    *((kind, SMALL) for kind in KINDS),
    ("ot", {**PLAIN, "distribution": "softmax"}),
    ("otn", {**PLAIN, "size": 4}),
    ("otlogn", {"motion": True, "relative_action": True, "state_dim": 3}),
    ("ot", {"encoder": "layered", "distribution": "softmax"}),
]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(("kind", "settings"), VARIANTS)
def test_likelihood_loss_gradients_and_rollouts(kind, settings):
    model = tiny_model(kind, **settings)
    video = tiny_video(model, length=4)
    given = [video[0][:, :2], video[1][:, :2], video[2]]
    expected = model.log_prob(*video)
    model(*video)["loss"].backward()
    rolled = model.rollout(*given, seeded(), together=2)  # as on a GPU: all at once
    with stand_in() as watch:
        there = tiny_model(kind, **settings).to(DEVICE)
        video = [tensor.to(DEVICE) for tensor in video]
        given = [tensor.to(DEVICE) for tensor in given]
        watch.forget()
        assert torch.equal(held(there.log_prob(*video).detach()), expected)
        there.set_checkpointing(True)
        there(*video)["loss"].backward()
        assert not watch.copies
        out = there.rollout(*given, seeded())
        assert not watch.reads
        # The uniform numbers of each of two frames; O(TN) also copies its pixels' order.
        assert watch.copies.total() == 2 * (3 if kind == "otn" else 1)
    assert torch.equal(held(out.frames), rolled.frames)
    assert torch.equal(held(out.log_prob), rolled.log_prob)
    for (name, one), other in zip(model.named_parameters(), there.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None:
            torch.testing.assert_close(held(other.grad), one.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "settings"), [v for v in VARIANTS if v[0] != "otn"])
def test_what_a_cuda_graph_captures_touches_nothing_but_the_device(kind, settings):
    with stand_in() as watch:
        model = tiny_model(kind, **settings).to(DEVICE)
        step = plain_step(model)
        watch.forget()
        inputs = static_inputs(model, batch=2)
        outputs = cloned(step(*inputs))
        overwrite(inputs, (outputs[0], *inputs[1:]))
        step(*inputs)
        assert not watch.reads
        assert not watch.copies
        assert torch.equal(held(inputs[0].frame), held(outputs[0].frame))


@pytest.mark.parametrize("preset", sorted(model_presets()))
def test_static_buffers_of_every_preset(preset):
    """On the meta device, which has shapes and no numbers; un-centred models have no background."""
    with torch.device("meta"):
        model = build_model(preset).eval()
        inputs = static_inputs(model, batch=1)
    overwrite(inputs, cloned(inputs))
    assert inputs[0].frame.shape == (1, 3, 64, 64)


def test_super_resolution():
    upscaler = build_upscaler(frame_size=16, channels=8, blocks=1)
    small = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=seeded())
    previous = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=seeded())
    given = small, previous, torch.rand(2, 4, 16, 16, generator=seeded())
    expected, nats = upscaler.sample(*given)
    with stand_in() as watch:
        there = build_upscaler(frame_size=16, channels=8, blocks=1)
        there.load_state_dict(upscaler.state_dict())
        there.to(DEVICE)
        given = [tensor.to(DEVICE) for tensor in given]
        watch.forget()
        out, score = there.sample(*given)
        there(out, *given[:2])["loss"].backward()
        assert not watch.reads
        assert not watch.copies
    assert torch.equal(held(out), expected)
    assert torch.equal(held(score), nats)
