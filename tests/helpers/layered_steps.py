"""The layered encoder, frame by frame beside all frames at once."""

from __future__ import annotations

import torch
from tiny import tiny_video


def step_after_step(model, levels: float):
    """The carry and the layers after six frames; every step is compared with ``forward``.

    levels: by how much composed pictures may differ."""
    frames, states, actions = tiny_video(model, length=6)
    vectors = model.vectors(states, actions)
    with torch.no_grad():
        features, centres = model.encoder(frames, vectors)
        carry = model.encoder.initial(len(frames), frames.device)
        for time in range(frames.shape[1]):
            carry, feature, layers = model.encoder.step_layers(
                carry, frames[:, time], vectors[:, time]
            )
            torch.testing.assert_close(feature, features[:, time], rtol=0, atol=1e-4)
            torch.testing.assert_close(layers.centre, centres[:, time], rtol=0, atol=levels)
    return carry, layers
