"""A model as an environment: gymnasium's checks, and that it is the model's own rollout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from pixelpush.errors import InputError
from pixelpush.eval.environments.pushing import PushingEnv
from pixelpush.eval.environments.simulated import SimulatedPushingEnv
from pixelpush.eval.environments.vector import VectorPushingEnv
from pixelpush.vpn.world import World

# Its advice is to scale actions to [-1, 1]; they stay in the data's units here, as recorded.
ADVICE = "ignore:.*symmetric and normalized space.*"


@pytest.mark.filterwarnings(ADVICE)
def test_gymnasium_finds_nothing_wrong(bin_model):
    check_env(PushingEnv(bin_model, episodes=1), skip_render_check=True)


@pytest.mark.filterwarnings(ADVICE)
def test_gymnasium_finds_nothing_wrong_with_the_bin():
    check_env(SimulatedPushingEnv(episodes=1), skip_render_check=True)


def test_model_and_bin_have_the_same_spaces_and_begin_alike(bin_model):
    model = PushingEnv(bin_model)
    bin = SimulatedPushingEnv()
    assert model.observation_space == bin.observation_space
    assert model.action_space == bin.action_space
    options = {"episode": 1, "split": "val"}
    first, _ = model.reset(seed=0, options=options)
    real, _ = bin.reset(seed=5, options=options)
    np.testing.assert_array_equal(first["frame"], real["frame"])
    np.testing.assert_allclose(first["state"], real["state"])


def test_an_episode_is_a_rollout_of_the_model(tiny_model, given):
    """Nats, frames and states; the noise is that of one stream."""
    env = PushingEnv(World(tiny_model, temperature=0.7), data="", steps=3)
    env.reset(seed=3, options=given)
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 5)).astype(np.float32)
    seen = [env.step(action) for action in actions]
    stream = np.random.default_rng(np.random.SeedSequence(3))
    generator = torch.Generator().manual_seed(int(stream.integers(2**62)))
    all_actions = np.concatenate([given["actions"], actions])
    out = tiny_model.rollout(
        *(torch.from_numpy(x)[None] for x in (given["frames"], given["states"], all_actions)),
        generator=[generator],
        temperature=0.7,
        steps=3,
    )
    for number, (observation, reward, terminated, truncated, info) in enumerate(seen):
        frame = out.frames[0, number].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(observation["frame"], frame)
        expected = -float(out.log_prob[0, number].mean()) / 3
        assert info["nats"] == pytest.approx(-expected, abs=1e-4)
        assert (reward, terminated, truncated) == (0.0, False, number == 2)
        np.testing.assert_allclose(observation["state"], out.states[0, number + 2], rtol=1e-5)


def test_the_reward_says_how_far_the_point_is_from_its_goal(tiny_model, given):
    env = PushingEnv(World(tiny_model, "mean"), data="")
    given |= {"point": (4, 9), "goal": (12, 3)}
    _, info = env.reset(seed=0, options=given)
    np.testing.assert_allclose(info["place"], (4, 9), atol=0.02)
    _, reward, _, _, info = env.step(np.zeros(5, np.float32))
    # A mean of distances is at least the distance of the mean.
    assert -reward >= np.hypot(*(info["place"] - [12, 3])) - 1e-4
    assert -reward < 22


def test_a_batch_holds_the_single_environments(bin_model):
    both = VectorPushingEnv(bin_model, num_envs=2, steps=2)
    both.reset(seed=7, options={"episodes": [0, 0]})
    singles = [PushingEnv(bin_model, steps=2) for _ in range(2)]
    for number, env in enumerate(singles):
        env.reset(seed=7 + number, options={"episode": 0})
    actions = np.stack([both.single_action_space.sample() for _ in range(2)])
    for _ in range(2):
        seen, reward, terminated, truncated, info = both.step(actions)
        for number, env in enumerate(singles):
            alone = env.step(actions[number])
            apart = np.abs(seen["frame"][number].astype(int) - alone[0]["frame"])
            assert apart.max() <= 1  # float32 sums of another batch size may round differently
            assert info["nats"][number] == pytest.approx(alone[4]["nats"], abs=1e-3)
        assert both.observation_space.contains(seen)
    assert truncated.all()
    assert not terminated.any()
    assert not reward.any()


def test_the_bins_reward_is_that_of_the_object_under_the_point():
    env = SimulatedPushingEnv()
    _, info = env.reset(options={"episode": 0})
    place = env.bin.pixel(info["objects"][2].astype(float))[:2]
    _, info = env.reset(options={"episode": 0, "point": place, "goal": place + np.array([3, 4])})
    np.testing.assert_allclose(info["place"], place, atol=1e-3)
    _, reward, _, _, info = env.step(env.action_space.sample())
    assert reward == pytest.approx(-np.hypot(*(info["place"] - place - [3, 4])), abs=1e-3)


def test_mistakes_are_one_clear_line(tiny_model, given):
    env = PushingEnv(tiny_model, data="")
    with pytest.raises(InputError, match="call reset"):
        env.step(np.zeros(5, np.float32))
    with pytest.raises(InputError, match="no data; give frames"):
        env.reset()
    with pytest.raises(InputError, match="unknown option 'frame'"):
        env.reset(options={"frame": 1})
    with pytest.raises(InputError, match="point and goal together"):
        env.reset(options={**given, "point": (1, 1)})
    with pytest.raises(InputError, match="uint8"):
        env.reset(options={**given, "frames": given["frames"].astype(float)})
    env.reset(options=given)
    for bad in (np.zeros(4), np.full(5, np.nan), np.full(5, 1e6)):
        with pytest.raises(InputError, match="action"):
            env.step(bad)
    with pytest.raises(InputError, match="begins with an episode"):
        SimulatedPushingEnv().reset(options=given)
