"""One episode <-> one record of the store: a serialised tf.train.Example in the layout TFDS reads.

TFDS's features are ``frames``: Sequence(Image PNG); ``states``, ``actions``: Tensor float32 (T, D),
left out where D is 0 (TFDS cannot restore such a shape); ``id``: Text; ``extra``: Sequence of
{name: Text, npy: the .npy bytes}."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from pixelpush.datasets.arrays import decode_array, encode_array
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import (
    bytes_feature,
    example_class,
    float_feature,
    one_bytes_feature,
    parse_example,
)
from pixelpush.datasets.images import decode_image, encode_png
from pixelpush.datasets.schema import Schema
from pixelpush.errors import InputError


def encode_record(episode: Episode) -> bytes:
    """The record of an episode, whose frames have 1 or 3 channels; others are an InputError.

    >>> rows = np.zeros((1, 5), np.float32)
    >>> episode = Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> decode_record(encode_record(episode), Schema.of(episode), "record 0").id
    'a'
    """
    if len(episode.frames) == 0:
        raise InputError(f"episode {episode.id}: it has no frames.")
    if episode.frames.shape[1] not in (1, 3):
        raise InputError(
            f"episode {episode.id}: frames of {episode.frames.shape[1]} channels; 1 or 3 can be "
            "stored."
        )
    example = example_class()()
    features = example.features.feature
    frames = episode.frames.transpose(0, 2, 3, 1)
    features["frames"].bytes_list.value.extend(encode_png(frame) for frame in frames)
    for name, array in (("states", episode.states), ("actions", episode.actions)):
        if array.shape[1]:
            features[name].float_list.value.extend(array.ravel().tolist())
    features["id"].bytes_list.value.append(episode.id.encode())
    names = sorted(episode.extra)
    features["extra/name"].bytes_list.value.extend(name.encode() for name in names)
    features["extra/npy"].bytes_list.value.extend(
        encode_array(episode.extra[name]) for name in names
    )
    # protobuf maps have no order of their own; deterministic sorts their keys.
    return example.SerializeToString(deterministic=True)


def decode_record(
    data: bytes, schema: Schema, what: str, start: int = 0, stop: int | None = None
) -> Episode:
    """The episode of a record, or its frames [start, stop), then without ``extra``.

    ``what`` names the record in errors. Raises InputError for damage and for another schema.

    >>> decode_record(b"", Schema(3, 8, 8, 5, 5), "record 0")
    Traceback (most recent call last):
    pixelpush.errors.InputError: record 0: no feature 'frames'.
    """
    features = parse_example(data, what)
    encoded = bytes_feature(features, "frames", what)
    length = len(encoded)
    stop = length if stop is None else stop
    if not 0 <= start < stop <= length:
        raise InputError(f"{what}: frames {start}..{stop} asked of an episode of {length} frames.")
    whole = (start, stop) == (0, length)
    identity = one_bytes_feature(features, "id", what)
    return Episode(
        frames=_decode_frames(encoded, start, stop, schema, what),
        states=_rows(features, "states", length, schema.state_dim, what)[start:stop],
        actions=_rows(features, "actions", length, schema.action_dim, what)[start:stop],
        id=identity.decode("utf-8", errors="replace"),
        extra=_extras(features, what) if whole else {},
    )


def _decode_frames(
    encoded: list[bytes], start: int, stop: int, schema: Schema, what: str
) -> np.ndarray:
    frames = np.empty((stop - start, schema.channels, schema.height, schema.width), dtype=np.uint8)
    for index in range(start, stop):
        image = decode_image(encoded[index], f"{what}, frame {index}", schema.channels)
        if image.shape != (schema.height, schema.width, schema.channels):
            raise InputError(
                f"{what}, frame {index}: a picture of {image.shape}, but the store has "
                f"{schema.in_words}; prepare the data again."
            )
        frames[index - start] = image.transpose(2, 0, 1)
    return frames


def _rows(features: Any, key: str, length: int, width: int, what: str) -> np.ndarray:
    if width == 0:
        return np.zeros((length, 0), dtype=np.float32)
    return float_feature(features, key, length * width, what).reshape(length, width)


def _extras(features: Any, what: str) -> dict[str, np.ndarray]:
    names = [
        name.decode("utf-8", errors="replace")
        for name in bytes_feature(features, "extra/name", what)
    ]
    arrays = bytes_feature(features, "extra/npy", what)
    if len(names) != len(arrays):
        raise InputError(f"{what}: {len(names)} names for {len(arrays)} extra arrays.")
    return {
        name: decode_array(array, f"{what}, {name!r}")
        for name, array in zip(names, arrays, strict=True)
    }


def content_hash(episode: Episode) -> str:
    """SHA-256 of what an episode holds (not of how it is encoded), as hexadecimal.

    >>> rows = np.zeros((1, 5), np.float32)
    >>> len(content_hash(Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, "a")))
    64
    """
    digest = hashlib.sha256()
    arrays = {"frames": episode.frames, "states": episode.states, "actions": episode.actions}
    arrays |= {f"extra/{name}": episode.extra[name] for name in sorted(episode.extra)}
    digest.update(episode.id.encode() + b"\0")
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\0".encode())
        digest.update(np.asarray(array, order="C").tobytes())
    return digest.hexdigest()
