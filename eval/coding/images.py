"""Batches of images as coded bytes.

A member holds what it is (JSON: sizes, checksum), the condition (NumPy's npz; empty where there is
none), and the range coder's words. Images of a batch are coded together, as an autoregressive model
takes as many steps for many as for one."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence

import numpy as np
import torch

from pixelpush.errors import InputError
from pixelpush.eval.coding.entropy import Decoder, DecodingWalk, Encoder, EncodingWalk
from pixelpush.eval.coding.walks import walk_images
from pixelpush.image import Condition, ImageModel


def encode_images(
    model: ImageModel, images: np.ndarray, condition: Condition | None = None
) -> tuple[list[bytes], float]:
    """(sections, nats as coded) of uint8 images (N, C, H, W). Raises InputError where they or the
    condition do not fit the model.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4).eval()
    >>> images = np.zeros((2, 3, 4, 4), np.uint8)
    >>> with torch.inference_mode():
    ...     sections, nats = encode_images(model, images)
    >>> bool(8 * len(sections[2]) >= nats / np.log(2))
    True
    """
    encoder = Encoder()
    batch = torch.from_numpy(images.copy())
    nats = walk_images(model, batch, condition, lambda all_: EncodingWalk.of(all_, encoder))
    about = {"images": list(images.shape), "sha256": _sha256(images)}
    words = encoder.words().astype("<u4").tobytes()
    return [json.dumps(about).encode(), _condition_bytes(condition), words], float(nats.sum())


def decode_images(model: ImageModel, sections: Sequence[bytes], where: str) -> np.ndarray:
    """The images again, byte for byte; their checksum is verified.

    Raises InputError, starting with ``where``, for damaged sections and where the model or its
    arithmetic is not the writer's.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4).eval()
    >>> images = np.zeros((2, 3, 4, 4), np.uint8)
    >>> with torch.inference_mode():
    ...     sections, _ = encode_images(model, images)
    ...     decode_images(model, sections, "a.coded").shape
    (2, 3, 4, 4)
    """
    try:
        about = json.loads(sections[0])
        batch = torch.zeros(*about["images"], dtype=torch.uint8)
        condition = _condition(sections[1])
        decoder = Decoder(np.frombuffer(sections[2], "<u4").astype(np.uint32))
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError, OSError) as error:
        raise InputError(f"{where}: damaged ({error}); get the file again.") from None
    try:
        walk_images(model, batch, condition, lambda all_: DecodingWalk.of(all_, decoder))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if _sha256(batch.numpy()) != about["sha256"]:
        raise InputError(
            f"{where}: what was decoded is not what was coded (its checksum is another); the file "
            "is damaged, or the model's arithmetic differs here."
        )
    return batch.numpy()


def _condition_bytes(condition: Condition | None) -> bytes:
    parts = {} if condition is None else condition.parts()
    if not parts:
        return b""
    buffer = io.BytesIO()
    arrays: dict[str, np.ndarray] = {name: value.cpu().numpy() for name, value in parts.items()}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _condition(data: bytes) -> Condition | None:
    if not data:
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Condition(**{name: torch.from_numpy(arrays[name]) for name in arrays.files})


def _sha256(images: np.ndarray) -> str:
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images).tobytes())
    return digest.hexdigest()
