"""A whole video or a batch of images, pixel by pixel in the sampler's order: the one path that
encoding, decoding and calibration share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pixelpush.image import Condition, ImageModel
from pixelpush.image.choosing import Walk, chosen_by, places
from pixelpush.vpn import VideoPixelNetwork

MakeWalk = Callable[[Tensor], Walk]
"""Images uint8 (N, C, H, W) -> the walk that names their pixels."""


@torch.inference_mode()
def walk_video(
    model: VideoPixelNetwork,
    frames: Tensor,
    states: Tensor,
    actions: Tensor,
    windows: Sequence[range],
    context: int,
    walk: MakeWalk,
) -> Tensor:
    """Walk through the frames after the context; return their nats, float64 (B, frames).

    frames: uint8 (B, T, C, H, W), filled in place with what the walks name: a walk that encodes
    leaves it as it is, one that decodes writes it. windows: ``scoring_windows`` of T; each starts
    from ``context`` frames that are given or already walked.

    >>> from pixelpush.eval.coding.entropy import Encoder, EncodingWalk
    >>> from pixelpush.vpn import build_model
    >>> walk = lambda frame: EncodingWalk.of(frame, Encoder())
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> frames = torch.zeros(1, 4, 3, 8, 8, dtype=torch.uint8)
    >>> vectors = torch.zeros(1, 4, 5)
    >>> walk_video(model, frames, vectors, vectors, [range(4)], 2, walk).shape
    torch.Size([1, 2])
    """
    size = model.config.frame_size
    device = next(model.parameters()).device
    # In place of uniform numbers the sampler gets the pixels' numbers (image/choosing.py).
    numbers = places(len(frames), model.decoder.uniforms_per_pixel, size, size).to(device)
    states = states.to(device)
    actions = actions.to(device)
    nats = []
    with _evaluating(model):
        for window in windows:
            own = slice(window.start, window.stop)
            clip = frames[:, own]
            vectors = states[:, own]
            commands = actions[:, own]
            carry = model.begin(clip[:, :context].to(device), vectors[:, :context], commands)
            for time in range(context, len(window)):
                with chosen_by(model, walk(clip[:, time])):
                    carry, score = model.step(carry, commands[:, time - 1], numbers)
                # As in scoring, the recorded state goes on, not the predicted one.
                carry = carry._replace(state=vectors[:, time])
                # A view of ``frames``: what is decoded here is the given past of the next window.
                clip[:, time] = carry.frame
                nats.append(-score.cpu().double().flatten(1).sum(1))
    return torch.stack(nats, dim=1)


@torch.inference_mode()
def walk_images(
    model: ImageModel, images: Tensor, condition: Condition | None, walk: MakeWalk
) -> Tensor:
    """Walk through images uint8 (N, C, H, W), filled in place; return their nats, float64 (N,).

    >>> from pixelpush.eval.coding.entropy import Encoder, EncodingWalk
    >>> from pixelpush.image import build_image_model
    >>> walk = lambda images: EncodingWalk.of(images, Encoder())
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4)
    >>> walk_images(model, torch.zeros(2, 3, 4, 4, dtype=torch.uint8), None, walk).shape
    torch.Size([2])
    """
    model.check_images(images)
    condition = model.conditioning.check(condition, len(images))
    numbers = places(len(images), model.uniforms_per_pixel, *images.shape[2:]).to(model.device)
    with _evaluating(model), chosen_by(model, walk(images)):
        walked, score = model.draw(condition.to(model.device), numbers, 1.0, True)
    images.copy_(walked)
    return -score.cpu().double().flatten(1).sum(1)


@contextlib.contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
