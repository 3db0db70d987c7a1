"""A drive is a rollout that can be taken back, beside the real physics, and can be kept."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from pixelpush.datasets import open_dataset
from pixelpush.datasets.sim.environment import SimulatedBin
from pixelpush.errors import InputError
from pixelpush.eval.driving.recording import led_away, new_folder, save_drive
from pixelpush.eval.driving.session import Sampling, Session, Source
from pixelpush.image.noise import SampleNoise
from pixelpush.training.seeding import derived_seed

RIGHT = np.array([1, 0, 0, 0, 0], np.float32)
LEFT = -RIGHT


def test_driving_is_the_models_own_rollout(new_session):
    """The same frames as ``World`` steps with these uniform numbers and actions."""
    session = new_session(seed=4)
    moment = session._now.moment
    command = np.full(5, 0.1, np.float32)
    for number, held in enumerate((RIGHT, LEFT, 0.5 * RIGHT), start=2):
        view = session.step(held)
        command = command + held * 0.25  # an untrained model's statistics: deviation 1
        np.testing.assert_allclose(view.command, command, rtol=1e-6)
        noise = SampleNoise(torch.Generator().manual_seed(derived_seed(4, "drive", number)), 1)
        action = torch.from_numpy(command)[None]
        moment = session.world.step(moment, action, session.world.uniforms(noise))
        np.testing.assert_array_equal(view.frame, moment.frame[0].numpy())
        assert view.nats == pytest.approx(-float(moment.nats.mean()) / 3, abs=1e-5)


def test_stepping_back_and_forth_gives_the_same_frames(new_session):
    session = new_session()
    first = [session.step(held) for held in (RIGHT, RIGHT, LEFT)]
    session.back()
    back = session.back()
    np.testing.assert_array_equal(back.frame, first[0].frame)
    assert back.number == first[0].number
    again = [session.step(held) for held in (RIGHT, LEFT)]
    for one, other in zip(first[1:], again, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
    for _ in range(10):
        start = session.back()
    assert start.number == 1


def test_seed_and_temperature_matter(new_session):
    frames = [
        new_session(**sampling).step(RIGHT).frame
        for sampling in ({"seed": 0}, {"seed": 1}, {"temperature": 0.1}, {"prediction": "mean"})
    ]
    assert all((frames[0] != other).any() for other in frames[1:])
    np.testing.assert_array_equal(frames[0], new_session(seed=0).step(RIGHT).frame)


def test_a_target_is_reached_no_faster_than_at_full_speed(new_session):
    session = new_session()
    target = np.array([0.8, 0.1, 0.1, 0.1, 0.0], np.float32)
    commands = [session.step(np.zeros(5), target).command for _ in range(4)]
    np.testing.assert_allclose([c[0] for c in commands], [0.35, 0.6, 0.8, 0.8], rtol=1e-5)
    np.testing.assert_allclose(commands[-1], target, atol=1e-6)


def test_the_heat_is_the_surprise_at_the_own_sample_averaged(new_session):
    session = new_session()
    view = session.step(RIGHT)
    nats = -session._now.moment.nats[0].numpy()
    assert view.heat.shape == (16, 16)
    assert view.heat[8, 8] == pytest.approx(nats[6:11, 6:11].mean(), rel=1e-5)
    assert view.heat[0, 0] == pytest.approx(nats[:3, :3].mean(), rel=1e-5)


def test_the_physics_beside_it_is_the_bins_own(bin_model, tmp_path):
    """Frames, distance, stepping back; and what is recorded can be trained on."""
    session = Session(bin_model, Source("sim", "val", 0))
    bin = SimulatedBin("sim")
    start = bin.reset("val", 0)
    hold = start.state * 0 + session._now.command
    bin.step(hold)
    session.record()
    seen = []
    for held in (RIGHT, RIGHT):
        view = session.step(held)
        real = bin.step(view.command)
        seen.append(real)
        np.testing.assert_array_equal(view.real, real.frame)
        levels = np.abs(view.frame.astype(int) - real.frame).mean()
        assert view.distance == pytest.approx(levels)
        assert view.apart == pytest.approx(np.linalg.norm(view.state[:3] - real.state[:3]))
    session.step(LEFT)
    back = session.back()
    np.testing.assert_array_equal(back.real, seen[-1].frame)
    recording = session.stop()
    assert len(recording) == 4  # two given frames, two driven; what was taken back is not there
    folder = new_folder(tmp_path)
    written = save_drive(recording, folder, session.name, "pose")
    names = ["drive.mp4", "actions.csv", "predicted", "real"]
    assert [path.name for path in written] == names
    assert new_folder(tmp_path) != folder
    real = open_dataset(folder / "real", "train")[0]
    np.testing.assert_array_equal(real.frames[0], start.frame)
    np.testing.assert_array_equal(real.frames[2:], [each.frame for each in seen])
    np.testing.assert_allclose(real.actions[1], recording[2].action)
    predicted = open_dataset(folder / "predicted", "train")[0]
    np.testing.assert_array_equal(predicted.frames[3], recording[3].frame)
    rows = list(csv.DictReader((folder / "actions.csv").read_text().splitlines()))
    assert len(rows) == 4
    assert float(rows[1]["action_0"]) == pytest.approx(recording[2].action[0])


def test_actions_lead_to_the_next_frame(new_session):
    """actions[t] is what led from frame t to t + 1."""
    session = new_session()
    session.record()
    commands = [session.step(held).command for held in (RIGHT, LEFT)]
    actions = led_away(session.stop())
    np.testing.assert_allclose(actions[0], 0.1)
    np.testing.assert_allclose(actions[1:], [commands[0], commands[1], commands[1]])


def test_a_recording_may_begin_on_the_way(new_session):
    session = new_session()
    session.step(RIGHT)
    assert session.record().recording == 1
    assert session.step(RIGHT).recording == 2
    assert session.back().recording == 1
    # Back beyond its beginning, it begins there.
    np.testing.assert_array_equal(session._recording[0].frame, session.view().frame)
    assert session.back().recording == 1
    assert session._recording[0].time == session.view().number == 1
    with pytest.raises(InputError, match="nothing is recorded"):
        session.stop()


def test_mistakes_are_one_clear_line(new_session, bin_model):
    session = new_session()
    with pytest.raises(InputError, match="temperature must be between"):
        Sampling(temperature=0)
    with pytest.raises(InputError, match="unknown sampler"):
        Sampling("best")
    before = session.step(RIGHT)
    beside = Session(bin_model, Source("sim", "val", 0))
    with pytest.raises(InputError, match="no split 'no'"):
        beside.reset(split="no")
    assert beside.source.split == "val"
    assert beside.step(RIGHT).real is not None
    assert session.view().number == before.number
