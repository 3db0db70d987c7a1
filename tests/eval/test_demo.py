"""The demo's path on a stand-in for the simulator: everything it names is there, and a second call
repeats nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.eval import demo
from pixelpush.vpn import build_model
from pixelpush.vpn.super_resolution import build_upscaler


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
        assert name == "sim"
        self.opened.append(split if size == 64 else f"{split} at {size}")
        drawn = [self.draw_episode(100 * len(self.opened) + n, 4) for n in range(episodes)]
        return Split(
            split, [replace(one, frames=_enlarged(one.frames, size // 16)) for one in drawn]
        )


def _enlarged(frames: np.ndarray, times: int) -> np.ndarray:
    return frames.repeat(times, axis=2).repeat(times, axis=3)


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
    monkeypatch.setattr(demo, "SHIPPED_MODELS", dict.fromkeys(demo.STATIONS, "no-such-model"))
    return stand_in


def test_demo_makes_data_model_table_and_videos(simulator, tmp_path, capsys):
    demo.run_demo(tmp_path / "demo", small=True, seed=0, device="cpu")
    text = capsys.readouterr().out
    for row in ("push-ot-small", "reference row", "noise floor"):
        assert row in text
    # The station of training comes first, the held-out one second, each with its words.
    words = list(demo.STATIONS.values())
    assert text.index(f", {words[0]}") < text.index(f", {words[1]}")
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


def test_the_held_out_station_is_shown_by_the_model_of_many_cameras(
    simulator, tmp_path, capsys, monkeypatch
):
    shipped = {"val": "push-otlogn-small", "test-seen": "push-ot-cameras-small"}
    monkeypatch.setattr(demo, "SHIPPED_MODELS", shipped)
    example = simulator.draw_episode(0, 4)
    sizes = {"state_dim": example.states.shape[1], "action_dim": example.actions.shape[1]}
    monkeypatch.setattr(
        demo,
        "load_model",
        lambda name, family: build_model("ot", channels=4, lstm_channels=4, **sizes).eval(),
    )
    monkeypatch.setattr(demo, "SMALL", replace(demo.SMALL, large=128))
    monkeypatch.setattr(
        demo, "load_upscalers", lambda *_: [build_upscaler(128, channels=4, blocks=1).eval()]
    )
    demo.run_demo(tmp_path / "demo", small=True, seed=0, device="cpu")
    text = capsys.readouterr().out
    # One sample of the first episode, larger, beside the truth at that size.
    assert simulator.opened[-1] == "val at 128"
    assert [path.name[:4] for path in (tmp_path / "demo").glob("*-128.mp4")] == ["0000"]
    for split, name in shipped.items():
        assert f"futures of {name}, {demo.STATIONS[split]}" in text
        assert text.count(f"{name} (ot, ") == 2  # both are scored at both stations
