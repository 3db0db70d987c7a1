"""Disturbances change what they say and nothing else; reports hold what was measured."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "vpn"))
from tiny import tiny_model, tiny_video

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.surprise.disturbances import DISTURBANCES
from pixelpush.eval.surprise.report import (
    COLUMNS,
    Watched,
    roc_figure,
    roc_text,
    strangest_moments,
    write_csv,
    write_strips,
    write_video,
)
from pixelpush.eval.surprise.roc import roc
from pixelpush.eval.surprise.usual import learn_usual
from pixelpush.files import write_json

SCORING = Scoring(context=2, clip_frames=20)


def some_episodes(model, count, length=8) -> list[Episode]:
    return [
        Episode(*(x[0].numpy() for x in tiny_video(model, 1, length, seed)), f"e{seed}")
        for seed in range(count)
    ]


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_begins_where_it_says(name):
    episode, other = some_episodes(tiny_model("ot", size=16), 2)
    changed = DISTURBANCES[name](episode, other, 4, np.random.default_rng(0))
    np.testing.assert_array_equal(changed.episode.frames[:4], episode.frames[:4])
    np.testing.assert_array_equal(changed.episode.states, episode.states)
    np.testing.assert_array_equal(changed.episode.actions[:4], episode.actions[:4])
    if name == "swapped actions":
        np.testing.assert_array_equal(changed.episode.frames, episode.frames)
        np.testing.assert_array_equal(changed.episode.actions[4:], other.actions[4:])
        assert changed.shows.start == 5
    else:
        assert (changed.episode.frames[4] != episode.frames[4]).any()
        assert changed.shows.start == 4
    assert changed.shows.stop <= len(episode.frames)


def test_frames_that_are_dropped_and_repeated():
    episode, other = some_episodes(tiny_model("ot"), 2)
    draw = np.random.default_rng(0)
    dropped = DISTURBANCES["dropped frame"](episode, other, 3, draw).episode.frames
    np.testing.assert_array_equal(dropped[3:7], episode.frames[4:8])
    repeated = DISTURBANCES["repeated frame"](episode, other, 3, draw).episode.frames
    np.testing.assert_array_equal(repeated[3], episode.frames[2])
    np.testing.assert_array_equal(repeated[4:], episode.frames[4:])


def test_roc_of_every_trouble_and_its_outputs(tmp_path):
    model = tiny_model("ot")
    validation = some_episodes(model, 12)
    loud = [
        Episode((e.frames // 128 * 255).astype(np.uint8), e.states, e.actions, e.id)
        for e in validation[:3]
    ]
    report = roc(
        model,
        validation,
        {"black and white": (loud, None)},
        SCORING,
        false_alarms=0.05,
        regions=4,
    )
    assert set(report.troubles) == {"black and white", *DISTURBANCES}
    assert report.usual_frames == 24
    assert report.calm_frames == 24
    for entry in report.troubles.values():
        assert 0 <= entry.auc <= 1
        assert entry.curve.caught[-1] == 1
    assert "ROC area" in roc_text(report)
    roc_figure(report, tmp_path / "roc.png")
    write_json(tmp_path / "roc.json", asdict(report))


def test_the_table_video_and_strips(tmp_path):
    model = tiny_model("ot")
    episodes = some_episodes(model, 6)
    nats = pixel_nats(model, episodes, SCORING)
    usual = learn_usual(nats, 3, SCORING, regions=4)
    watched = [
        Watched(episode, pixels, usual.score(pixels))
        for episode, pixels in zip(episodes, nats, strict=True)
    ]
    threshold = usual.threshold(0.1)
    write_csv(tmp_path / "s.csv", watched, threshold)
    rows = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
    assert len(rows) == 6 * 6
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        assert (float(row["p_value"]) <= 0.1) == bool(int(row["alarm"]))
    moments = strangest_moments(watched, 4)
    scores = [item.frames[index].score for item, index in moments]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == max(f.score for item in watched for f in item.frames)
    write_video(tmp_path / "s.mp4", watched[0], threshold)
    write_strips(tmp_path / "s.png", watched, 4)
    assert (tmp_path / "s.mp4").stat().st_size > 500
    assert (tmp_path / "s.png").stat().st_size > 500
