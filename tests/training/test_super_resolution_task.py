"""Crops for training an upscaler: where they come from, and that a short training improves it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.training.config import DataConfig
from pixelpush.training.super_resolution_task import BATCH, CROPS, OWN_STEPS, SuperResolutionTask
from pixelpush.vpn.super_resolution import shrink


def moving_square(number: int, size: int = 16, length: int = 4) -> Episode:
    """A bright square that wanders over a dark frame."""
    frames = np.full((length, 3, size, size), 20, np.uint8)
    for time in range(length):
        place = (number + time) % (size - 4)
        frames[time, :, place : place + 4, place : place + 4] = 200
    nothing = np.zeros((length, 0), np.float32)
    return Episode(frames, nothing, nothing, f"square-{number}")


def make_task(**data) -> SuperResolutionTask:
    episodes = [moving_square(number) for number in range(6)]
    overrides = {"channels": 8, "blocks": 1, "components": 2}
    return SuperResolutionTask(overrides, DataConfig(**{"crop": 8, **data}), episodes, episodes[:2])


def test_crops_fit_together_and_are_a_pure_function():
    task = make_task()
    name, arrays = task.example(3, 1, 4)
    assert name == "square-4"
    assert arrays["large"].shape == arrays["previous"][:, 0].shape == (CROPS, 3, 8, 8)
    small = shrink(torch.from_numpy(arrays["large"])).numpy()
    np.testing.assert_array_equal(arrays["small"], small[:, None])
    assert not arrays["own"].any()
    again = task.example(3, 1, 4)[1]
    other = task.example(3, 2, 4)[1]
    assert all(np.array_equal(arrays[key], again[key]) for key in arrays)
    assert any(not np.array_equal(arrays[key], other[key]) for key in arrays)


def test_frames_before_may_be_the_models_own():
    """Steps of its own begin from a true frame and reach the last one before what is learnt."""
    task = make_task(own_samples=0.5)
    arrays = task.example(0, 0, 0)[1]
    large, small, previous, first, own = (torch.from_numpy(arrays[key]) for key in BATCH)
    assert small.shape[1] == previous.shape[1] == OWN_STEPS + 1
    assert {0} < set(own.tolist()) <= {0, 1, 2}  # of four frames the second is the first learnt
    for step in range(OWN_STEPS):
        where = (small[:, step + 1] != small[:, step]).any(dim=(1, 2, 3))  # not before the first
        assert torch.equal(shrink(previous[where, step + 1]), small[where, step])
    model = task.build_model()
    given = []
    model.log_prob = lambda large, small, before, first: given.append(before) or torch.zeros(1)
    model.sample = lambda small, before, noise, first: (before + 1, None)
    model(large, small, previous, first, own)
    start = previous[torch.arange(CROPS), OWN_STEPS - own]
    assert torch.equal(given[0], start + own[:, None, None, None].to(torch.uint8))


def test_given_small_frames_are_used():
    large = [moving_square(number) for number in range(3)]
    small = [
        Episode(shrink(torch.from_numpy(e.frames)).numpy() + 1, e.states, e.actions, e.id)
        for e in large
    ]
    task = SuperResolutionTask({"channels": 8}, DataConfig(crop=8), large, None, (small, None))
    arrays = task.example(0, 0, 0)[1]
    np.testing.assert_array_equal(
        arrays["small"][:, 0], shrink(torch.from_numpy(arrays["large"])).numpy() + 1
    )
    with pytest.raises(InputError, match="not half"):
        SuperResolutionTask(
            {"channels": 8}, DataConfig(crop=8), large, None, (large, None)
        ).example(0, 0, 0)


def test_training_improves_the_validation_score():
    torch.manual_seed(0)
    task = make_task()
    model = task.build_model()
    device = torch.device("cpu")
    before = task.evaluate(model, None, device, "32")["nats_per_subpixel"]
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(30):
        batch = {k: torch.from_numpy(v)[None] for k, v in task.example(0, 0, step % 6)[1].items()}
        optimizer.zero_grad()
        task.losses(model, batch)["loss"].backward()
        optimizer.step()
    assert task.evaluate(model, None, device, "32")["nats_per_subpixel"] < before - 0.5


def test_a_run_knows_its_data_and_refuses_frames_of_another_size():
    few, many = ([moving_square(number) for number in range(count)] for count in (2, 3))
    described = [
        SuperResolutionTask({"channels": 8}, DataConfig(crop=8), data).describe()
        for data in (few, many)
    ]
    assert described[0] != described[1]
    with pytest.raises(InputError, match="have 16 pixels, the model doubles to 32"):
        SuperResolutionTask({"channels": 8, "frame_size": 32}, DataConfig(crop=8), few)


def test_impossible_crops_are_refused():
    for crop in (0, 7, 18):
        with pytest.raises(InputError, match="crop"):
            make_task(crop=crop)
