"""The law that holds for every video model: sampler = scorer, causality, normalisation, batch
invariance."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
from make_golden import golden_value
from tiny import GOLDEN, KINDS, depends, tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.image.heads import BernoulliHead
from pixelpush.vpn import load_model

VARIANTS = [
    *((kind, {}) for kind in KINDS),
    ("ot", {"centred": False, "encoder_block": "multiplicative", "patch": 1, "skip": False}),
    ("ot", {"distribution": "softmax"}),
    ("ot", {"motion": True, "relative_action": True, "state_dim": 3}),
    *((kind, {"encoder": "layered"}) for kind in KINDS),
    ("ot", {"encoder": "layered", "relative_action": True, "state_dim": 3}),
    ("ot", {"encoder": "layered", "state_dim": 0, "coarse_scales": 0}),
    ("otn", {"motion": True}),
    ("otlogn", {"motion": True}),
    ("otn", {"distribution": "logistic", "decoder_block": "multiplicative", "centred": False}),
    ("otlogn", {"distribution": "logistic", "patch": 4, "coarse_scales": 0}),
    ("baseline", {"distribution": "independent-softmax", "centred": False}),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("kind", "overrides"), VARIANTS)
def test_sampler_is_scorer(kind, overrides):
    model = tiny_model(kind, **overrides)
    frames, states, actions = tiny_video(model)
    out = model.rollout(frames[:, :2], states, actions, generator=seeded(1))
    with torch.no_grad():
        scored = model.log_prob(torch.cat((frames[:, :2], out.frames), dim=1), states, actions)
    assert out.frames.shape == (2, 3, 3, 8, 8)
    torch.testing.assert_close(out.log_prob, scored, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_a_tempered_sample_are_the_models_own(kind):
    model = tiny_model(kind)
    frames, states, actions = tiny_video(model)
    out = model.rollout(frames[:, :2], states, actions, generator=seeded(1), temperature=0.5)
    with torch.no_grad():
        scored = model.log_prob(torch.cat((frames[:, :2], out.frames), dim=1), states, actions)
    torch.testing.assert_close(out.log_prob, scored, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("kind", "channel"), [(k, c) for k in KINDS for c in (0, 2)])
def test_one_sub_pixel_moves_exactly_its_dependents(kind, channel):
    # Large weights in the deep masked stack: a far pixel's influence must not drown in float32
    # rounding.
    model = tiny_model(kind, gain=3.0 if kind == "otn" else 1.2)
    frames, states, actions = tiny_video(model, batch=1)
    time, length = 3, 5
    with torch.no_grad():
        before = model.log_prob(frames, states, actions)[0]
        for row, column in [(0, 0), (0, 5), (3, 3), (4, 4), (6, 1), (2, 7), (7, 7)]:
            moved = torch.zeros_like(before, dtype=torch.bool)
            for flip in (128, 255, 107):  # a far pixel's share of one change may round away
                changed = frames.clone()
                changed[0, time, channel, row, column] ^= flip
                moved |= model.log_prob(changed, states, actions)[0] != before
            assert not moved[: time - 2].any()
            assert torch.equal(moved[time - 2], depends(kind, 8, 2, row, column)), (row, column)
            assert moved[time - 1 : length - 2].any()


@pytest.mark.parametrize("kind", KINDS)
def test_context_frames_states_and_actions_move_only_the_future(kind):
    model = tiny_model(kind)
    frames, states, actions = tiny_video(model, batch=1)
    with torch.no_grad():
        before = model.log_prob(frames, states, actions)[0]
        for time in range(5):
            for vectors in (states, actions):
                changed = vectors.clone()
                changed[0, time, 0] += 1.0
                given = (
                    (frames, changed, actions) if vectors is states else (frames, states, changed)
                )
                moved = (model.log_prob(*given)[0] != before).flatten(1).any(1)
                assert moved.tolist() == [frame > time for frame in range(2, 5)]
        changed = frames.clone()
        changed[0, 0, 1, 2, 2] ^= 64
        assert (model.log_prob(changed, states, actions)[0] != before).flatten(1).any(1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_all_tiny_images_sum_to_one(kind):
    """Binary 4x4 frames: all 65,536 of them, given one past."""
    small = {"colours": 1, "distribution": "bernoulli", "centred": False, "patch": 1}
    model = tiny_model(kind, size=4, **small) if kind != "baseline" else bernoulli_baseline(small)
    frames, states, actions = tiny_video(model, batch=1, length=3)
    images = torch.tensor(list(itertools.product((0, 255), repeat=16)), dtype=torch.uint8).view(
        -1, 1, 4, 4
    )
    features = model.encoder(frames[:, :2], model.vectors(states[:, :2], actions[:, :2]))[0][:, -1]
    total = 0.0
    with torch.no_grad():
        for part in images.split(8192):
            count = len(part)
            past = features.expand(count, -1, -1, -1)
            total += float(
                model.decoder.log_prob(part, past, None).double().sum((1, 2)).exp().sum()
            )
    assert abs(total - 1) < 1e-4


def bernoulli_baseline(small):
    """The baseline insists on channels that ignore each other; with one channel a Bernoulli head is
    that."""
    model = tiny_model("baseline", size=4, **{**small, "distribution": "independent-logistic"})
    model.decoder.head = BernoulliHead(model.config.decoder_channels)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_likelihood_and_samples_do_not_depend_on_the_batch(kind):
    model = tiny_model(kind)
    frames, states, actions = tiny_video(model, batch=3)
    with torch.no_grad():
        together = model.log_prob(frames, states, actions)
        for index in range(3):
            one = slice(index, index + 1)
            alone = model.log_prob(frames[one], states[one], actions[one])
            torch.testing.assert_close(alone, together[one], rtol=0, atol=1e-5)
    streams = [seeded(5), seeded(6), seeded(7)]
    batched = model.rollout(frames[:, :2], states, actions, generator=streams)
    alone = model.rollout(frames[1:2, :2], states[1:2], actions[1:2], generator=[seeded(6)])
    assert torch.equal(batched.frames[1:2], alone.frames)
    first = model.rollout(frames[:1, :2], states[:1], actions[:1], generator=seeded(9))
    several = model.rollout(frames[:, :2], states, actions, generator=seeded(9))
    assert torch.equal(first.frames, several.frames[:1])


def test_a_long_rollout_of_the_shipped_model_does_not_depend_on_its_batch():
    """At 64x64 kernels round differently for other batches, and levels that flip spread: the
    samples go through the network one after another."""
    model = load_model("push-ot-small")
    generator = seeded(0)
    frames = torch.randint(0, 256, (1, 2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    path = torch.randn(1, 12, 5, generator=generator)
    given = [x.expand(3, *x.shape[1:]) for x in (frames, path[:, :2], path)]
    three = model.rollout(*given, [seeded(5), seeded(6), seeded(7)])
    one = model.rollout(frames, path[:, :2], path, [seeded(6)])
    assert torch.equal(three.frames[1:2], one.frames)
    assert torch.equal(three.log_prob[1:2], one.log_prob)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_bad_temperatures_and_too_few_generators_are_refused(bad):
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model)
    with pytest.raises(InputError, match="temperature"):
        model.rollout(frames[:, :2], states, actions, temperature=bad)
    with pytest.raises(InputError, match="1 generators were given for 2"):
        model.rollout(frames[:, :2], states, actions, generator=[seeded(1)])


def test_temperature_0_is_one_future_whatever_the_generator():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model)
    found = [
        model.rollout(frames[:, :2], states, actions, seeded(seed), temperature=0.0).frames
        for seed in (1, 2)
    ]
    assert torch.equal(*found)
    assert found[0].float().std() > 1  # not a black frame


@pytest.mark.parametrize("kind", KINDS)
def test_golden_values(kind):
    golden = json.loads(GOLDEN.read_text())
    assert kind in golden, "a new kind: run 'python tests/vpn/make_golden.py' and look at its value"
    assert golden_value(kind) == pytest.approx(golden[kind], abs=1e-4)
