"""A model is given data of its own sizes, or refused before anything is loaded."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.environment import SimulatedBin
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.runs import POSE, check_fit


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({"state_dim": 3}, "give data like those that it was trained on"),
        ({"action_dim": 0}, "give data like those that it was trained on"),
        ({"colours": 1}, "give data like those that it was trained on"),
        ({"frame_size": 32}, "prepare the data again with --size 32"),
        ({"frame_size": 32, "state_dim": 3}, "give data like those that it was trained on"),
    ],
)
def test_data_of_other_sizes_are_refused_with_both(changed, advice, tmp_path):
    """Before anything is loaded; the model itself quotes shapes of tensors."""
    frames, rows = np.zeros((5, 3, 16, 16), np.uint8), np.zeros((5, 4), np.float32)
    one = Episode(frames, rows, rows[:, :2], "one")
    store = write_store(tmp_path / "mine", {"val": [one]}, {})
    sizes = {"frame_size": 16, "colours": 3, "state_dim": 4, "action_dim": 2}
    check_fit("a", sizes, str(store))
    told = rf"mine: frames 3x16x16, state 4, action 2, but a takes frames .*; {advice}"
    with pytest.raises(InputError, match=told):
        check_fit("a", {**sizes, **changed}, str(store))


def test_the_simulated_bin_is_rendered_at_the_models_size():
    sizes = {"frame_size": 32, "colours": 3, "state_dim": 5, "action_dim": 5}
    check_fit("a", sizes, "sim")
    with pytest.raises(InputError, match=r"sim: frames 3x32x32, state 5, action 5, but a takes"):
        check_fit("a", {**sizes, "action_dim": 4}, "sim")
    assert len(SimulatedBin().lowest) == POSE
