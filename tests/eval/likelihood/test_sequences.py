"""--protocol paper: the first 20 frames of every episode, two of them given."""

from __future__ import annotations

import json

import numpy as np
import pytest
from flat_options import build

from pixelpush.cli.nll import NllOptions, nll
from pixelpush.datasets import open_dataset
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.sequences import Sequences
from pixelpush.eval.statistics import episode_floor
from pixelpush.vpn import load_model
from pixelpush.vpn.scoring import score_episodes

LENGTHS = (25, 7, 20, 19, 40)


@pytest.fixture(scope="module")
def long_store(tmp_path_factory, draw_episode):
    episodes = [draw_episode(number, length) for number, length in enumerate(LENGTHS)]
    folder = tmp_path_factory.mktemp("long") / "store"
    return write_store(folder, {"train": episodes, "val": episodes}, {})


def test_sequences_are_the_beginnings_of_the_long_episodes(long_store):
    whole = open_dataset(long_store, "val")
    found = Sequences(whole)
    assert [episode.id for episode in found] == ["push/0", "push/2", "push/4"]
    assert found.left_out == 2
    for episode, index in zip(found, (0, 2, 4), strict=True):
        assert episode.frames.shape[0] == len(episode.states) == len(episode.actions) == 20
        np.testing.assert_array_equal(episode.frames, whole[index].frames[:20])
        floor = episode_floor(episode, 2)
        assert floor is not None
        assert floor < (episode_floor(whole[index], 2) or 0) or index == 2
    assert found.content_sha256 == whole.content_sha256


def test_a_split_of_short_episodes_is_refused(draw_episode):
    with pytest.raises(InputError, match=r"no episode has the 20 frames.*--protocol paper"):
        Sequences([draw_episode(0, 19)])


def test_nll_scores_the_papers_sequences_beside_whole_episodes(
    long_store, model_folder, tmp_path, capsys
):
    given = {"model": str(model_folder), "data": str(long_store), "splits": ("val",)}
    reports = {}
    for protocol in ("episodes", "paper"):
        path = tmp_path / f"{protocol}.json"
        nll(build(NllOptions, **given, protocol=protocol, json=path, quiet=True, device="cpu"))
        reports[protocol] = json.loads(path.read_text())
    said = capsys.readouterr().out
    assert "the first 20 frames of each episode (the papers' sequences)" in said
    assert "(2 shorter ones left out)" in said
    assert reports["paper"]["protocol"]["sequences"] == "paper"
    facts = reports["paper"]["splits"]["val"]
    assert (facts["episodes"], facts["left_out"], facts["predicted_frames"]) == (3, 2, 3 * 18)
    whole = reports["episodes"]["splits"]["val"]
    assert (whole["episodes"], whole["left_out"]) == (5, 0)
    assert whole["predicted_frames"] == sum(LENGTHS) - 5 * 2
    # The same frames as the first clip of each long episode.
    model = load_model(str(model_folder), family="video")
    first = [episode for episode in open_dataset(long_store, "val") if len(episode.frames) >= 20]
    expected = [sum(score.frame_nats[:18]) for score in score_episodes(model, first)]
    found = reports["paper"]["models"][0]["splits"]["val"]["per_episode"]
    np.testing.assert_allclose([row["nats"] for row in found], expected, rtol=1e-6)


@pytest.mark.parametrize("more", [{"context": 3}, {"clip_frames": 10}])
def test_other_lengths_contradict_the_papers_protocol(long_store, model_folder, more):
    given = {"model": str(model_folder), "data": str(long_store), "splits": ("val",)}
    with pytest.raises(InputError, match="--protocol paper has 2 frames of context"):
        nll(build(NllOptions, **given, protocol="paper", quiet=True, **more))
