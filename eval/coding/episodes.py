"""Episodes as coded bytes: the frames after the context by the model, the rest as it is.

A member holds, in this order: what it is (JSON: id, sizes, checksum), the context frames (PNG, or
WebP lossless for colour), states and actions (float32, deflated), and the range coder's words."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.images import decode_image
from pixelpush.errors import InputError
from pixelpush.eval.coding.container import pack, unpack
from pixelpush.eval.coding.entropy import Decoder, DecodingWalk, Encoder, EncodingWalk
from pixelpush.eval.coding.stills import encode_still
from pixelpush.eval.coding.walks import walk_video
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.scoring import scoring_windows


@dataclass(frozen=True)
class CodedEpisode:
    """sections: what is written. nats: of the predicted frames, by the model. least_bits: the
    ideal length of their code by the coder's tables, in which no level costs more than
    ``MOST_BITS``.

    code_bytes: the coded frames; context_bytes: the given frames; vector_bytes: states and actions;
    about_bytes: id, sizes and checksum.

    >>> CodedEpisode([b"{}", b"png", b"zip", b"code"], 12.5, frames=1, subpixels=192).code_bytes
    4
    """

    sections: list[bytes]
    nats: float
    frames: int
    subpixels: int
    least_bits: float = 0.0

    @property
    def about_bytes(self) -> int:
        return len(self.sections[0])

    @property
    def context_bytes(self) -> int:
        return len(self.sections[1])

    @property
    def vector_bytes(self) -> int:
        return len(self.sections[2])

    @property
    def code_bytes(self) -> int:
        return len(self.sections[3])


def encode_episode(
    model: VideoPixelNetwork, episode: Episode, context: int = 2, clip_frames: int = 20
) -> CodedEpisode:
    """Code one episode. Longer ones than ``clip_frames`` go through the model clip by clip, as in
    ``nll``, each after the last frames of the one before.

    Raises InputError where the episode does not fit the model or is no longer than the context.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with torch.inference_mode():
    ...     encode_episode(model, episode).frames
    1
    """
    tensors = _tensors(model, episode.frames, episode.states, episode.actions)
    windows = scoring_windows(len(episode.frames), clip_frames, context)
    # One code for the whole episode: a code for each frame would round up to a word each time.
    encoder = Encoder()
    nats = walk_video(
        model, *tensors, windows, context, lambda frame: EncodingWalk.of(frame, encoder)
    )
    about = {
        "id": episode.id,
        "frames": list(episode.frames.shape),
        "states": episode.states.shape[1],
        "actions": episode.actions.shape[1],
        "context": context,
        "clip_frames": clip_frames,
        "sha256": episode_sha256(episode),
    }
    sections = [
        json.dumps(about, separators=(",", ":")).encode(),
        pack([encode_still(frame) for frame in episode.frames[:context]]),
        zlib.compress(_vectors(episode), 9),
        # Little-endian on every machine, as the vectors are.
        encoder.words().astype("<u4").tobytes(),
    ]
    predicted = len(episode.frames) - context
    subpixels = predicted * int(np.prod(episode.frames.shape[1:]))
    return CodedEpisode(sections, float(nats.sum()), predicted, subpixels, encoder.bits)


def decode_episode(model: VideoPixelNetwork, sections: Sequence[bytes], where: str) -> Episode:
    """The episode again, byte for byte; its checksum is verified.

    Raises InputError, starting with ``where``, for damaged sections and where the model or its
    arithmetic is not the writer's.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with torch.inference_mode():
    ...     coded = encode_episode(model, episode)
    ...     decode_episode(model, coded.sections, "a.coded").id
    'a'
    """
    try:
        about = json.loads(sections[0])
        shape = tuple(about["frames"])
        stills = unpack(sections[1])
        vectors = np.frombuffer(zlib.decompress(sections[2]), "<f4").reshape(shape[0], -1)
        words = np.frombuffer(sections[3], "<u4").astype(np.uint32)
        context = int(about["context"])
        clip_frames = int(about["clip_frames"])
        states, actions = np.split(vectors.astype(np.float32), [int(about["states"])], axis=1)
        frames = np.zeros(shape, np.uint8)
    except (ValueError, KeyError, IndexError, TypeError, zlib.error) as error:
        raise InputError(f"{where}: damaged ({error}); get the file again.") from None
    for index, still in enumerate(stills[:context]):
        frames[index] = decode_image(still, where, shape[1]).transpose(2, 0, 1)
    tensors = _tensors(model, frames, states, actions)
    windows = scoring_windows(shape[0], clip_frames, context)
    decoder = Decoder(words)
    try:
        walk_video(model, *tensors, windows, context, lambda f: DecodingWalk.of(f, decoder))
    except InputError as error:
        raise _unlike(where, str(error)) from None
    episode = Episode(tensors[0][0].numpy(), states, actions, str(about["id"]))
    if episode_sha256(episode) != about["sha256"]:
        raise _unlike(where, "its checksum is another")
    return episode


def episode_sha256(episode: Episode) -> str:
    """Checksum of an episode's shape, frames, states and actions.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> black = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> white = Episode(np.full((3, 3, 8, 8), 255, np.uint8), rows, rows, "a")
    >>> episode_sha256(black) == episode_sha256(white)
    False
    """
    digest = hashlib.sha256(f"{episode.frames.shape}".encode())
    digest.update(np.ascontiguousarray(episode.frames).tobytes())
    digest.update(_vectors(episode))
    return digest.hexdigest()


def _unlike(where: str, why: str) -> InputError:
    return InputError(
        f"{where}: what was decoded is not what was coded ({why}); the file is damaged, or the "
        "model's arithmetic differs here."
    )


def _vectors(episode: Episode) -> bytes:
    return np.concatenate((episode.states, episode.actions), axis=1).astype("<f4").tobytes()


def _tensors(
    model: VideoPixelNetwork, frames: np.ndarray, states: np.ndarray, actions: np.ndarray
) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of one, checked; the frames are a copy that may be written to."""
    c = model.config
    wanted = (c.colours, c.frame_size, c.frame_size)
    if frames.shape[1:] != wanted or (states.shape[1], actions.shape[1]) != (
        c.state_dim,
        c.action_dim,
    ):
        raise InputError(
            f"the model takes frames {wanted}, {c.state_dim} states and {c.action_dim} actions; "
            f"got {frames.shape[1:]}, {states.shape[1]} and {actions.shape[1]}."
        )
    return (
        torch.from_numpy(frames.copy())[None],
        torch.from_numpy(states.copy())[None],
        torch.from_numpy(actions.copy())[None],
    )
