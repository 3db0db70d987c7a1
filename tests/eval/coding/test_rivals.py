"""Every rival codec gives the bytes back; a lossy one would not do."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.coding.rivals import RIVALS


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_rivals_are_lossless(rival):
    try:
        rival.ready()
    except InputError as missing:
        pytest.skip(str(missing))
    draw = np.random.default_rng(0)
    ramp = np.linspace(0, 200, 64).astype(np.uint8) + np.zeros((6, 3, 64, 1), np.uint8)
    frames = ramp + draw.integers(0, 5, ramp.shape).astype(np.uint8)
    data = rival.encode(frames, 3)
    np.testing.assert_array_equal(rival.decode(data, frames.shape), frames)
    assert 0 < len(data) < frames.size
