"""The running mean of what is still."""

from __future__ import annotations

import numpy as np
import torch

from pixelpush.vpn.background import LONGEST, empty, observe


def slow_mean(frames: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """One pixel at a time, from the definition: frames (T, C, H, W) -> mean (C, H, W), count (H,
    W)."""
    _, colours, height, width = frames.shape
    mean, count = np.zeros((colours, height, width)), np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            kept: list[np.ndarray] = []
            for reading in frames[:, :, row, column].astype(float):
                if kept and np.abs(reading - np.mean(kept, axis=0)).max() > threshold:
                    kept = []
                kept.append(reading)
            mean[:, row, column], count[row, column] = np.mean(kept, axis=0), len(kept)
    return mean, count


def test_it_equals_the_slow_definition():
    draw = np.random.default_rng(0)
    frames = (100 + draw.normal(0, 2, (12, 2, 3, 4, 5)).round()).clip(0, 255).astype(np.uint8)
    frames[6:, :, :, 1:3] += 40
    background = empty(2, 3, 4, 5, torch.device("cpu"))
    for frame in frames:
        background = observe(background, torch.from_numpy(frame), 5.0)
    for sample in range(2):
        mean, count = slow_mean(frames[:, sample], 5.0)
        np.testing.assert_allclose(background.mean[sample].numpy(), mean, atol=1e-4)
        np.testing.assert_array_equal(background.count[sample, 0].numpy(), count)


def test_threshold_zero_is_the_previous_frame():
    frames = torch.randint(
        0, 256, (5, 2, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    background = empty(2, 3, 4, 4, torch.device("cpu"))
    for frame in frames:
        background = observe(background, frame, 0.0)
        assert torch.equal(background.mean, frame.float())


def test_memory_is_bounded():
    background = empty(1, 1, 1, 1, torch.device("cpu"))
    for _ in range(int(LONGEST) + 10):
        background = observe(background, torch.full((1, 1, 1, 1), 7, dtype=torch.uint8), 5.0)
    assert float(background.count) == LONGEST
    assert float(background.mean) == 7.0
