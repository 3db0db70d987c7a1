"""How often a run validates, what it says at its end, and what an interrupted one leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_training import CONFIG, MODEL, episodes, run_once, tiny_task

from pixelpush.training.config import RunOptions, TrainConfig
from pixelpush.training.loop import what_holds
from pixelpush.training.validation import validation_interval
from pixelpush.training.video_task import VideoTask


def test_the_interval_is_a_twentieth_of_a_long_run_and_a_tenth_of_the_work_of_a_short_one():
    task = tiny_task()
    frames = sum(len(episode.frames) for episode in episodes(5, first=100))
    cost = frames / (3 * task.data.clip_frames)
    assert task.validation_cost(64) == pytest.approx(cost)
    long = validation_interval(task, TrainConfig(1, 100_000, data=CONFIG.data), RunOptions())
    assert long == 5000
    short = validation_interval(task, TrainConfig(1, 20, data=CONFIG.data), RunOptions())
    assert cost / (cost + short) <= 0.1
    assert cost / (cost + short - 1) > 0.1
    asked = RunOptions(validate_examples=3)
    assert validation_interval(task, TrainConfig(1, 20, data=CONFIG.data), asked) == 3


def test_without_a_validation_split_nothing_is_counted():
    task = VideoTask("ot", MODEL, CONFIG.data, episodes(3))
    assert task.validation_cost(64) == 0
    assert validation_interval(task, TrainConfig(2, 40), RunOptions()) == 2


def test_a_run_says_what_it_does_at_its_end(tmp_path: Path, capsys):
    run_once(tmp_path, quiet=False)
    said = capsys.readouterr().err
    assert "final scoring" in said
    value = json.loads((tmp_path / "final.json").read_text())["whole_validation_nats_per_subpixel"]
    assert f"the whole validation split: {value:.4f} nats per sub-pixel" in said
    lines = [line for line in said.splitlines() if "examples: validation" in line]
    assert lines
    assert "the best so far" in lines[0]


def test_a_stopped_run_says_which_save_holds(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setattr("pixelpush.training.interrupt.Clock.requests", lambda clock: (True, False))
    run_once(tmp_path, quiet=False)
    said = capsys.readouterr().err
    save = tmp_path / "checkpoints" / "0000000005"
    assert save.is_dir()
    assert (
        f"stopped after 5 of 120 examples: {save} holds the run after 5 examples; the same command "
        "continues from there." in said
    )


def test_an_interruption_at_the_end_says_which_save_holds(tmp_path: Path):
    task = tiny_task()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    task.evaluate = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt, match="holds the run after 115 examples"):
        run_once(tmp_path, task=task, validate_examples=1000)
    assert what_holds(tmp_path / "none").startswith("nothing is saved yet")
