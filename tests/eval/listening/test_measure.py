"""A model that follows its actions pays for false ones; one that cannot see them pays exactly 0."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "vpn"))
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.listening.measure import (
    ACTIONS,
    SHIFTED,
    SHUFFLED,
    STATES,
    ZERO,
    Heard,
    Lie,
    Listening,
    listen,
    tell,
)
from pixelpush.eval.listening.measure import verdict as verdict_of
from pixelpush.eval.listening.report import listening_figure, listening_json, listening_text
from pixelpush.eval.statistics import Ratio
from pixelpush.files import write_json

SCORING = Scoring(context=2, clip_frames=4, batch_size=3)


def some_episodes(model, count=4, length=6) -> list[Episode]:
    return [
        Episode(*(x[0].numpy() for x in tiny_video(model, 1, length, seed)), f"e{seed}")
        for seed in range(count)
    ]


def sampled_episodes(model, count=6) -> list[Episode]:
    """Episodes that the model itself drew, so that its own actions are the true ones."""
    frames, states, actions = tiny_video(model, count, 6)
    drawn = model.rollout(
        frames[:, :2], states, actions * 3, torch.Generator().manual_seed(0)
    ).frames
    whole = torch.cat((frames[:, :2], drawn), 1)
    return [
        Episode(whole[i].numpy(), states[i].numpy(), (actions[i] * 3).numpy(), f"s{i}")
        for i in range(count)
    ]


def cut_off_actions(model) -> None:
    """Zero every weight through which an action enters the encoder."""
    c = model.config
    with torch.no_grad():
        weight = model.encoder.enter.weight
        weight[:, weight.shape[1] - c.action_dim :] = 0


def test_nats_are_the_models_clip_by_clip():
    model = tiny_model("ot")
    episodes = some_episodes(model, 3, 7)
    found = pixel_nats(model, episodes, SCORING)
    for episode, nats in zip(episodes, found, strict=True):
        clips = [slice(0, 4), slice(2, 6), slice(4, 7)]
        expected = np.concatenate(
            [
                -model.log_prob(
                    *(
                        torch.from_numpy(x[clip])[None]
                        for x in (episode.frames, episode.states, episode.actions)
                    )
                )[0].detach()
                for clip in clips
            ]
        )
        np.testing.assert_allclose(nats, expected, atol=1e-4)


def test_a_model_that_drew_the_futures_pays_for_false_actions():
    model = tiny_model("ot", gain=2.0)
    found = listen(model, sampled_episodes(model), SCORING)
    for way in (SHIFTED, SHUFFLED, ZERO):
        assert found.of(Lie(way)).cost.value > 0
        assert not found.of(Lie(way)).exactly_zero
    assert "listens to its actions" in verdict_of(found, "m")
    shuffled = found.of(Lie(SHUFFLED))
    assert len(shuffled.per_frame) == 4
    assert np.mean(shuffled.per_frame) == pytest.approx(shuffled.cost.value)
    assert shuffled.map.mean() == pytest.approx(shuffled.cost.value)


def test_actions_that_are_cut_off_cost_exactly_nothing_and_states_still_do():
    model = tiny_model("ot")
    cut_off_actions(model)
    found = listen(model, some_episodes(model), SCORING)
    for heard in found.heard:
        if heard.lie.of == ACTIONS:
            assert heard.exactly_zero
            assert heard.cost.value == 0
            assert not heard.map.any()
    assert not found.of(Lie(SHUFFLED, STATES)).exactly_zero
    assert "does not see its actions" in verdict_of(found, "m")


@pytest.mark.parametrize("encoder", ["convlstm", "layered"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_pays_exactly_nothing_for_actions_that_it_does_not_get(
    kind, encoder, monkeypatch
):
    model = tiny_model(kind, encoder=encoder)
    episodes = some_episodes(model)
    lies = [Lie(way) for way in (SHIFTED, SHUFFLED, ZERO)]
    hearing = listen(model, episodes, SCORING, lies=lies)
    assert not any(heard.exactly_zero for heard in hearing.heard)
    vectors = model.vectors
    monkeypatch.setattr(model, "vectors", lambda s, a: vectors(s, torch.zeros_like(a)))
    deaf = listen(model, episodes, SCORING, lies=lies)
    assert all(heard.exactly_zero and heard.cost.value == 0 for heard in deaf.heard)


def test_a_model_without_actions_is_told_so():
    model = tiny_model("ot", action_dim=0)
    found = listen(model, some_episodes(model), SCORING)
    assert "does not see its actions" in verdict_of(found, "m")


@pytest.mark.parametrize(
    ("late", "theirs", "said"),
    [
        (0.27, 0.5, "m listens to its actions: +0.2700 ± 0.0100 nats per sub-pixel with its own"),
        (0.02, 0.6, "m cannot be said to listen"),
        (-0.2, 0.6, "m is misled by its actions"),
        (0.02, 0.0, "m cannot be said to listen"),
    ],
)
def test_a_model_that_only_notices_contradictions_is_not_said_to_listen(late, theirs, said):
    """As on recordings whose actions are the next states: another episode's cost a lot, delayed
    ones nothing."""
    heard = [
        Heard(Lie(way), Ratio(cost, 0.01), [cost], np.zeros((8, 8)), exactly_zero=False)
        for way, cost in ((SHIFTED, late), (SHUFFLED, theirs))
    ]
    line = verdict_of(Listening(Ratio(2.0, 0.1), heard, episodes=4, context=2), "m")
    assert line.startswith(said)
    assert ("contradict" in line) == (said.endswith("listen") and theirs > 0)


def test_what_is_told():
    model = tiny_model("ot")
    model.action_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    episodes = some_episodes(model, 4, 6)
    own = episodes[1].actions
    late = tell(model, episodes, 1, Lie(SHIFTED), 2).actions
    np.testing.assert_array_equal(late[2:], own[:-2])
    np.testing.assert_array_equal(late[:2], own[[0, 0]])
    other = tell(model, episodes, 1, Lie(SHUFFLED), 2)
    np.testing.assert_array_equal(other.actions, episodes[3].actions)
    np.testing.assert_array_equal(other.states, episodes[1].states)
    zero = tell(model, episodes, 1, Lie(ZERO), 2).actions
    np.testing.assert_array_equal(zero, np.tile(np.float32([1, 2, 3]), (6, 1)))
    one = tell(model, episodes, 1, Lie(SHUFFLED, ACTIONS, 2), 2).actions
    np.testing.assert_array_equal(one[:, :2], own[:, :2])
    np.testing.assert_array_equal(one[:, 2], episodes[3].actions[:, 2])


def test_another_episodes_actions_are_made_as_long():
    model = tiny_model("ot")
    episodes = [some_episodes(model, 1, 6)[0], some_episodes(model, 2, 4)[1]]
    told = tell(model, episodes, 0, Lie(SHUFFLED), 1).actions
    np.testing.assert_array_equal(told[:4], episodes[1].actions)
    np.testing.assert_array_equal(told[4:], episodes[1].actions[[3, 3]])


def test_report_figure_and_refusals(tmp_path):
    model = tiny_model("ot")
    episodes = some_episodes(model, 3)
    found = listen(model, episodes, SCORING)
    text = listening_text(found, "tiny")
    assert text.splitlines()[-1] == verdict_of(found, "tiny")
    assert "shuffled actions [2]" in text
    write_json(tmp_path / "x.json", listening_json(found, "tiny"))
    listening_figure(found, episodes[0].frames[0], tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000
    with pytest.raises(InputError, match="at least two"):
        listen(model, episodes[:1], SCORING)
    with pytest.raises(InputError, match="shift of 0"):
        listen(model, episodes, SCORING, shift=0)
