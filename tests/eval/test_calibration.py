"""A model that drew the frames is calibrated on them; one that is too sure shows a bowl."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vpn"))
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.calibration import COVERAGES, Tally, calibration, calibration_figure


def drawn_episodes(model, count=3, length=8, temperature=1.0) -> list[Episode]:
    frames, states, actions = tiny_video(model, count, length)
    generator = torch.Generator().manual_seed(1)
    future = model.rollout(frames[:, :2], states, actions, generator, temperature).frames
    whole = torch.cat((frames[:, :2], future), 1)
    return [
        Episode(whole[i].numpy(), states[i].numpy(), actions[i].numpy(), f"d{i}")
        for i in range(count)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_models_own_samples_are_calibrated(kind):
    model = tiny_model(kind)
    found = calibration(model, drawn_episodes(model), clip_frames=20)
    groups = [group for group in found.groups.values() if group.subpixels]
    count = sum(group.subpixels for group in groups)
    assert count == 3 * 6 * 8 * 8 * 3
    # One group may hold few; together they are uniform: six standard deviations of a share of 1/20.
    histogram = sum(g.subpixels / count * np.array(g.histogram) for g in groups)
    slack = 6 * np.sqrt(20 / count)
    np.testing.assert_allclose(histogram, 1, atol=slack)
    for nominal in COVERAGES:
        covered = sum(g.subpixels / count * g.coverage[str(nominal)] for g in groups)
        assert covered == pytest.approx(nominal, abs=6 * np.sqrt(0.25 / count))


def test_samples_that_are_too_tame_gather_at_the_likeliest_levels():
    model = tiny_model("ot")
    tame = calibration(model, drawn_episodes(model, temperature=0.3)).groups["moving"]
    # A new model's distributions are wide: the outermost levels, which hold all beyond them, are
    # the likeliest.
    assert tame.coverage["0.5"] < 0.4
    assert max(tame.histogram) > 1.3


def test_the_histogram_of_known_intervals():
    tally = Tally()
    tally.add(torch.tensor([0.0, 0.5], dtype=torch.float64), torch.tensor([0.25, 1.0]).double())
    described = tally.describe()
    # The first spreads over five bins of 20, the second over ten.
    expected = np.repeat([0.5 * 20 / 5, 0, 0.5 * 20 / 10], [5, 5, 10])
    np.testing.assert_allclose(described.histogram, expected, atol=1e-9)
    # 0.25 to 0.75: nothing of the first, half of the second.
    assert described.coverage["0.5"] == pytest.approx(0.25)


def test_still_and_moving_are_told_apart():
    model = tiny_model("ot")
    episode = drawn_episodes(model, 1)[0]
    episode.frames[:] = 100
    episode.frames[4, 1, 3, 5] = 109  # one channel moves away, and back at the next frame
    found = calibration(model, [episode]).groups
    assert found["moving"].subpixels == 2 * 3
    assert found["still"].subpixels == (6 * 64 - 2) * 3


def test_the_figure(tmp_path):
    model = tiny_model("ot")
    report = calibration(model, drawn_episodes(model, 1))
    calibration_figure(report, tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000
