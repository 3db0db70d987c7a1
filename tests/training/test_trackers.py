"""Trackers get every figure; a continued run is one run there."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from pixelpush.errors import InputError
from pixelpush.training.metrics import Metrics
from pixelpush.training.trackers import TRACKERS, check_trackers, open_trackers, tracked_id


class Recorder(types.ModuleType):
    """Stands for wandb and trackio, whose calls it keeps."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__spec__ = types.SimpleNamespace(name=name)  # what find_spec looks for
        self.begun: list[dict] = []
        self.logged: list[tuple[dict, int]] = []
        self.finished = 0

    def init(self, **settings):
        self.begun.append(settings)

    def log(self, values, step):
        self.logged.append((values, step))

    def finish(self):
        self.finished += 1


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_figures_reach_the_tracker_and_a_resumed_run_is_the_same(name, tmp_path, monkeypatch):
    module = Recorder(name)
    monkeypatch.setitem(sys.modules, name, module)
    for examples in (0, 4):
        trackers = open_trackers([name], tmp_path, examples, {"preset": "tiny"})
        with Metrics(tmp_path, 8, examples, trackers, quiet=True) as metrics:
            metrics.write(examples + 4, {"loss": 1.5, "step": 2, "note": "words"})
    figures = {"loss": 1.5, "optimizer_step": 2}
    assert module.logged == [(figures, 4), (figures, 8)]
    assert module.finished == 2
    first, second = module.begun
    assert first == second
    assert first["project"] == "pixelpush"
    assert first["config"] == {"preset": "tiny"}
    assert tracked_id(tmp_path) in str(first)


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_does_not_begin_is_one_line(name, tmp_path, monkeypatch):
    module = Recorder(name)

    def refuse(**settings):
        raise RuntimeError("No API key configured.\nUse `wandb login` to log in.")

    module.init = refuse
    monkeypatch.setitem(sys.modules, name, module)
    message = rf"^--track {name}: it did not start \(No API key configured\); .*leave --track out"
    with pytest.raises(InputError, match=message) as caught:
        open_trackers([name], tmp_path, 0, {})
    assert "\n" not in str(caught.value)


def test_tensorboard_gets_the_figures(tmp_path):
    pytest.importorskip("tensorboard")
    trackers = open_trackers(["tensorboard"], tmp_path, 0, {})
    with Metrics(tmp_path, 8, 0, trackers, quiet=True) as metrics:
        metrics.write(4, {"loss": 1.5})
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (point,) = events.Scalars("loss")
    assert (point.step, point.value) == (4, 1.5)


@pytest.mark.parametrize("name", list(TRACKERS))
def test_a_missing_tracker_is_named_with_its_command(name, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(InputError, match=rf"pip install 'pixelpush\[{name}\]'"):
        check_trackers([name])


def test_two_runs_of_one_name_are_two(tmp_path: Path):
    for parent in ("a", "b"):
        (tmp_path / parent / "run").mkdir(parents=True)
    first, second = (tracked_id(tmp_path / parent / "run") for parent in "ab")
    assert first != second
