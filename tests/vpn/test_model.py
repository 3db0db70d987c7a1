"""Inputs that are refused, saving and loading, the state predictor, checkpointing."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn import build_model, load_model, save_model
from pixelpush.vpn.presets import model_presets, video_config


def test_wrong_inputs_are_named():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model)
    wrong = [
        ((frames.float(), states, actions), "uint8"),
        ((frames[..., :4], states, actions), r"\(B, T, 3, 8, 8\)"),
        ((frames, states[..., :1], actions), "state_dim=2"),
        ((frames, states, torch.cat((actions, actions), -1)), "action_dim=3"),
        ((frames[:, :2], states, actions), "context of 2"),
        ((frames, states[:, :2], actions), "2 of the 4 needed are missing"),
    ]
    for inputs, message in wrong:
        with pytest.raises(InputError, match=message) as caught:
            model.log_prob(*inputs)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="context 0"):
        model.log_prob(frames, states, actions, context=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": "abc"}, "channels should be of type int"),
        ({"channels": 4.5}, "channels should be of type int"),
        ({"centred": "no"}, "centred should be of type bool"),
        ({"patch": 3, "frame_size": 66}, "power of two"),
        ({"chanels": 4}, "unknown setting 'chanels'"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        video_config("push-ot-small", **settings)


def test_a_rollout_past_the_actions_says_how_many_are_missing():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model, length=5)
    with pytest.raises(InputError, match="actions end too early: 4 of the 9 needed are missing"):
        model.rollout(frames[:, :2], states[:, :2], actions, steps=8)
    assert model.rollout(frames[:, :2], states[:, :2], actions, steps=4).frames.shape[1] == 4
    video, streams = tiny_video(model, batch=3), [torch.Generator(), torch.Generator()]
    with pytest.raises(InputError, match="2 generators were given for 3 samples"):
        model.rollout(video[0][:, :2], *video[1:], generator=streams)


def test_missing_states_are_predicted_and_given_ones_are_used():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model)
    model.set_normalisation(
        torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), torch.ones(3), torch.ones(3) * 2
    )
    out = model.rollout(frames[:, :2], states[:, :2], actions)
    normal = (states[:, 1] - model.state_mean) / model.state_std
    step = (
        model.state_predictor(normal, (actions[:, 1] - 1) / 2) * model.state_std + model.state_mean
    )
    torch.testing.assert_close(out.states[:, 2], step)
    assert out.states.shape == states.shape
    torch.testing.assert_close(model.rollout(frames[:, :2], states, actions).states, states)


def test_a_robot_without_states_or_actions():
    model = tiny_model("ot", state_dim=0, action_dim=0)
    frames, states, actions = tiny_video(model)
    out = model.rollout(frames[:, :2], states, actions)
    assert out.states.shape == (2, 5, 0)
    assert float(model(frames, states, actions)["state_error"]) == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_saved_model_is_the_same_model(kind, tmp_path):
    model = tiny_model(kind)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.config == model.config
    assert not loaded.training
    video = tiny_video(model)
    with torch.no_grad():
        assert torch.equal(loaded.log_prob(*video), model.log_prob(*video))


def test_damaged_saves_are_refused(tmp_path):
    model = tiny_model("ot")
    save_model(model, tmp_path / "model")
    weights, header = tmp_path / "model" / "model.safetensors", tmp_path / "model" / "model.json"
    good_weights, good_header = weights.read_bytes(), header.read_text()
    with pytest.raises(InputError, match="neither a run folder"):
        load_model(tmp_path / "nothing")
    weights.write_bytes(good_weights[:-100])
    with pytest.raises(InputError, match="damaged weights"):
        load_model(tmp_path / "model")
    weights.write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(InputError, match="damaged weights"):
        load_model(tmp_path / "model")
    weights.write_bytes(good_weights)
    for change, message in [
        ({"format": 99}, "format 99"),
        ({"family": "audio"}, "family"),
        ({"config": {**asdict(model.config), "channels": 4096}}, "should be"),
        ({"config": {**asdict(model.config), "channels": "wide"}}, "damaged"),
        ({"config": {"kind": "ot", "surprise": 1}}, "unknown setting 'surprise'"),
    ]:
        header.write_text(json.dumps({**json.loads(good_header), **change}))
        with pytest.raises(InputError, match=message):
            load_model(tmp_path / "model")
    header.write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("kind", KINDS)
def test_checkpointing_changes_no_gradient(kind):
    gradients = []
    for on in (False, True):
        model = tiny_model(kind)
        model.set_checkpointing(on)
        model(*tiny_video(model, batch=3, length=6))[
            "loss"
        ].backward()  # 15 frames: two pieces of unlike size
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed)


@pytest.mark.parametrize("name", model_presets())
def test_presets_build(name):
    with torch.device("meta"):
        model = build_model(name)
    assert sum(p.numel() for p in model.parameters()) > 1e5


def test_unknown_models_and_settings_are_refused():
    for arguments, message in [
        (("oops", {}), "unknown video model"),
        (("ot", {"colors": 3}), "unknown setting 'colors'"),
        (("ot", {"frame_size": 50}), "multiple of 8"),
        (("otlogn", {"frame_size": 96}), "times a power of 2"),
        (("ot", {"channels": 0}), "between 1 and"),
        (("baseline", {"distribution": "softmax"}), "ignore each other"),
    ]:
        with pytest.raises(InputError, match=message):
            build_model(arguments[0], **arguments[1])
