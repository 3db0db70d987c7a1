"""Sampling in one graph equals the plain path."""

from __future__ import annotations

import shutil

import pytest
import torch
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.graph import CompiledStep, GraphedStep, plain_step


def rolled(model, step, device="cpu"):
    frames, states, actions = (x.to(device) for x in tiny_video(model))
    generator = torch.Generator().manual_seed(4)
    return model.rollout(frames[:, :2], states[:, :2], actions, generator=generator, step=step)


def test_plain_step_is_the_models_step():
    model = tiny_model("ot")
    assert torch.equal(rolled(model, plain_step(model)).frames, rolled(model, None).frames)


def test_bfloat16_sampling_scores_in_float32():
    out = rolled(model := tiny_model("ot"), plain_step(model, "bf16"))
    assert out.log_prob.dtype == torch.float32
    assert torch.isfinite(out.log_prob).all()


def test_a_graph_off_cuda_is_refused():
    with pytest.raises(InputError, match="CUDA"):
        GraphedStep(tiny_model("ot"), batch=2)
    with pytest.raises(InputError, match="precision"):
        plain_step(tiny_model("ot"), "16")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for a CPU needs g++")
def test_compiled_step_gives_the_same_bytes():
    model = tiny_model("ot")
    assert torch.equal(rolled(model, CompiledStep(model)).frames, rolled(model, None).frames)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["baseline", "ot", "otlogn"])
def test_graphed_step_gives_the_same_bytes(kind):
    torch.backends.cudnn.deterministic = True
    model = tiny_model(kind).to("cuda")
    graphed = GraphedStep(model, batch=2)
    for _ in range(2):  # a second rollout finds no trace of the first
        out, plain = rolled(model, graphed, "cuda"), rolled(model, None, "cuda")
        assert torch.equal(out.frames, plain.frames)
        torch.testing.assert_close(out.log_prob, plain.log_prob)
    with pytest.raises(InputError, match="captured for batch 2"):
        graphed(*(None, torch.zeros(1, 3), None), 1.0)
