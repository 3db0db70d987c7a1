"""Every tool that evaluates, on a device that is not the CPU and has no float64: it finds the
same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest
import torch
from stand_in import DEVICE, stand_in
from tiny import tiny_model, tiny_video
from tiny_images import random_images, tiny_image_model
from torch import nn

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.calibration import calibration
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.coding.episodes import decode_episode, encode_episode
from pixelpush.eval.coding.images import decode_images, encode_images
from pixelpush.eval.images.scales import scales_of, shares
from pixelpush.eval.listening.measure import listen
from pixelpush.eval.planning.predictors import Aim, ModelPredictor
from pixelpush.eval.rollout.sampling import RolloutSettings, rollout_context
from pixelpush.vpn.pose_reader import PoseReader, PoseReaderConfig
from pixelpush.vpn.stream import score_stream
from pixelpush.vpn.world import World

Model = TypeVar("Model", bound=nn.Module)
KINDS = ["ot", "otlogn", "otn"]


def episodes_of(model) -> list[Episode]:
    found = []
    for seed in range(2):
        frames, states, actions = (x[0].numpy() for x in tiny_video(model, 1, 4, seed))
        found.append(Episode(frames, states, actions, f"episode-{seed}"))
    return found


def on_both(model: Model, found: Callable[[Model], object]) -> tuple[object, object]:
    """What is found on the CPU and on the stand-in device."""
    here = found(model)
    with stand_in():
        return here, found(copy.deepcopy(model).to(DEVICE))


def assert_alike(pair: tuple[object, object]) -> None:
    here, there = pair
    assert type(here) is type(there)
    torch.testing.assert_close(there, here, rtol=0, atol=0, equal_nan=True)


@pytest.fixture(params=KINDS)
def model(request):
    return tiny_model(request.param, size=8)


def test_calibration(model):
    episodes = episodes_of(model)
    here, there = on_both(model, lambda m: calibration(m, episodes, clip_frames=4))
    assert here == there
    assert here.groups["moving"].subpixels


def test_a_code_is_the_cpus_and_is_read_back(model):
    episode = episodes_of(model)[0]

    def code(there) -> bytes:
        coded = encode_episode(there, episode, 2, 20)
        decoded = decode_episode(there, coded.sections, "test")
        np.testing.assert_array_equal(decoded.frames, episode.frames)
        return b"".join(coded.sections)

    here, there = on_both(model, code)
    assert here == there


def test_a_code_of_images():
    model = tiny_image_model("pixelcnn", image_size=4)
    images = random_images(model, 2).numpy()

    def code(there) -> list[bytes]:
        sections, _ = encode_images(there, images)
        np.testing.assert_array_equal(decode_images(there, sections, "test"), images)
        return sections

    here, there = on_both(model, code)
    assert here == there


def test_shares_of_scales():
    model = tiny_image_model("multiscale-pixelcnn", image_size=8)
    images = random_images(model, 2)

    def found(there) -> object:
        given = images.to(next(there.parameters()).device)
        return shares(there.log_prob(given).detach(), scales_of(there))

    here, there = on_both(model, found)
    assert here == there


def test_scores_and_listening(model):
    episodes = episodes_of(model)

    def scoring(there) -> Scoring:
        return Scoring(batch_size=2, device=str(next(there.parameters()).device))

    assert_alike(on_both(model, lambda m: pixel_nats(m, episodes, scoring(m))))
    here, there = on_both(model, lambda m: listen(m, episodes, scoring(m)))
    assert [(heard.lie, heard.cost) for heard in here.heard] == [
        (heard.lie, heard.cost) for heard in there.heard
    ]


def test_a_stream(model):
    video = tiny_video(model, 1, 4)

    def nats(there) -> list[np.ndarray]:
        given = (tensor.to(next(there.parameters()).device) for tensor in video)
        return [frame.cpu().numpy() for frame in score_stream(there, *given)]

    assert_alike(on_both(model, nats))


@pytest.mark.parametrize("temperature", [0, 0.5, 1])
def test_rollouts(model, temperature):
    episode = episodes_of(model)[0]
    settings = RolloutSettings(samples=1, temperature=temperature)

    def frames(there) -> np.ndarray:
        given = (episode.frames[:2], episode.states[:2], episode.actions)
        return rollout_context(there, *given, settings, "title")[1].frames

    assert_alike(on_both(model, frames))


@pytest.mark.parametrize("cost", ["pixel", "picture"])
def test_planning(cost):
    model = tiny_model("ot", encoder="layered")
    episode = episodes_of(model)[0]
    candidates = np.stack((episode.actions[2:], episode.actions[1:-1]))
    aim = Aim(np.full(2, 3.0), np.full(2, 5.0), picture=episode.frames[-1])

    def found(there) -> list[np.ndarray]:
        predictor = ModelPredictor(World(there), cost)
        predictor.begin(episode.frames[:2], episode.states[:2], episode.actions[:1])
        return [predictor.costs(candidates, aim), *predictor.imagine(candidates[0], aim)]

    assert_alike(on_both(model, found))


def test_a_pose_is_read():
    reader = PoseReader(PoseReaderConfig(frame_size=32, channels=4)).eval()
    frames = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)

    def read(there) -> np.ndarray:
        return there(frames.to(next(there.parameters()).device)).detach().cpu().numpy()

    assert_alike(on_both(reader, read))
