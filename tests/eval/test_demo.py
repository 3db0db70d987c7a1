"""The demo's path on a stand-in for the simulator: everything it names is there, and a second call
repeats nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.eval import demo


class Split(list):
    def __init__(self, name: str, episodes: list[Episode]):
        super().__init__(episodes)
        self.name = f"sim/{name}"


class StandIn:
    """Drawn episodes under the simulator's signature."""

    opened: list[str]

    def __init__(self, draw_episode):
        self.draw_episode, self.opened = draw_episode, []

    def __call__(self, name: str, split: str, size: int, episodes: int) -> Split:
        assert (name, size) == ("sim", 64)
        self.opened.append(split)
        drawn = [self.draw_episode(100 * len(self.opened) + n, 4) for n in range(episodes)]
        return Split(
            split, [replace(one, frames=one.frames.repeat(4, 2).repeat(4, 3)) for one in drawn]
        )


@pytest.fixture
def simulator(monkeypatch, draw_episode):
    stand_in = StandIn(draw_episode)
    monkeypatch.setattr(demo, "open_dataset", stand_in)
    plan = replace(
        demo.SMALL,
        episodes={"train": 2, "val": 1, "test-seen": 1},
        clips=2,
        clip_frames=3,
        samples=1,
    )
    monkeypatch.setattr(demo, "SMALL", plan)
    monkeypatch.setattr(demo, "SHIPPED_MODEL", "no-such-model")
    return stand_in


def test_demo_makes_data_model_table_and_videos(simulator, tmp_path, capsys):
    demo.run_demo(tmp_path / "demo", small=True, seed=0, device="cpu")
    text = capsys.readouterr().out
    for row in ("push-ot-small", "reference row", "noise floor"):
        assert row in text
    # The station of training comes first, the held-out one second, each with its words.
    words = list(demo.STATIONS.values())
    assert text.index(f"futures, {words[0]}") < text.index(f"futures, {words[1]}")
    assert text.rstrip().endswith("pixelpush train push-ot-small --data sim --run runs/small")
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"run-small", "nll.json", "summary.png"} <= made
    movie, strip, arrays = (
        next((tmp_path / "demo").glob(f"0*.{kind}")) for kind in ("mp4", "png", "npz")
    )
    assert str(movie) in text
    assert str(strip) in text
    with np.load(arrays) as archive:
        first = archive["samples"]
    report = json.loads((tmp_path / "demo" / "nll.json").read_text())
    assert report["splits"]["test-seen"]["episodes"] == 1
    assert simulator.opened == ["train", "val", "test-seen"]

    simulator.opened.clear()
    demo.run_demo(tmp_path / "demo", small=True, seed=0, device="cpu")
    assert "run is complete" in capsys.readouterr().err
    with np.load(arrays) as archive:
        np.testing.assert_array_equal(archive["samples"], first)
