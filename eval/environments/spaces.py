"""The spaces of the environments: frames as pictures, states and actions in the data's units."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from pixelpush.eval.environments.needed import gymnasium
from pixelpush.eval.planning.space import sim_space
from pixelpush.vpn import VideoPixelNetwork

# gymnasium's type for what it says beside observations, for its options and for metadata.
Info: TypeAlias = dict[str, Any]

# No state of a recorded or simulated arm lies further from the mean, in standard deviations.
_FAR = 50.0
# Bounds of actions of which nothing is known but their spread.
_REACH = 4.0
# Of the simulated bin: metres and radians that no arm of it reaches.
_BIN_STATE = np.array([2, 2, 2, 4, 4], np.float32)


def bin_spaces(size: int) -> tuple[gymnasium.spaces.Dict, gymnasium.spaces.Box]:
    """Observations and actions of the simulated bin.

    >>> bin_spaces(64)[0]["frame"].shape
    (64, 64, 3)
    """
    space = sim_space()
    actions = gymnasium.spaces.Box(space.lowest, space.highest, dtype=np.float32)
    return _observations(size, 3, -_BIN_STATE, _BIN_STATE), actions


def model_spaces(
    model: VideoPixelNetwork, of_bin: bool
) -> tuple[gymnasium.spaces.Dict, gymnasium.spaces.Box]:
    """Observations and actions of a model: the bin's, or wide bounds round its own statistics.

    of_bin: whether the model was trained on the simulated bin.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> observations, actions = model_spaces(model, of_bin=False)
    >>> observations["frame"].shape, actions.shape
    ((8, 8, 3), (5,))
    """
    c = model.config
    if of_bin:
        return bin_spaces(c.frame_size)
    state = model.state_mean.cpu().numpy(), model.state_std.cpu().numpy()
    action = model.action_mean.cpu().numpy(), model.action_std.cpu().numpy()
    observations = _observations(
        c.frame_size, c.colours, state[0] - _FAR * state[1], state[0] + _FAR * state[1]
    )
    lowest = action[0] - _REACH * action[1]
    highest = action[0] + _REACH * action[1]
    return observations, gymnasium.spaces.Box(lowest, highest, dtype=np.float32)


def observe(frame: np.ndarray, state: np.ndarray) -> dict[str, np.ndarray]:
    """An observation from a frame uint8 (..., C, H, W) and a state (..., S).

    >>> observe(np.zeros((3, 8, 8), np.uint8), np.zeros(5))["frame"].shape
    (8, 8, 3)
    """
    picture = np.ascontiguousarray(np.moveaxis(frame, -3, -1))
    return {"frame": picture, "state": np.ascontiguousarray(state, np.float32)}


def _observations(
    size: int, colours: int, lowest: np.ndarray, highest: np.ndarray
) -> gymnasium.spaces.Dict:
    frame = gymnasium.spaces.Box(0, 255, (size, size, colours), np.uint8)
    state = gymnasium.spaces.Box(lowest, highest, dtype=np.float32)
    return gymnasium.spaces.Dict({"frame": frame, "state": state})
