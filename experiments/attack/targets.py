"""What is attacked: files of every kind, each with a reader and with what it may give.

A target's ``read`` raises InputError, or returns whether what it read is right. Formats with
checksums must give what was written or nothing; the others must give well-formed values."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from experiments.attack.damage import damage, damage_json
from pixelpush.datasets.arrays import Archive, decode_array, encode_array
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.images import decode_image, encode_png
from pixelpush.datasets.records import content_hash
from pixelpush.datasets.store import EpisodeStore, write_store
from pixelpush.datasets.tables import read_csv, read_json_table
from pixelpush.datasets.tfrecord import masked_crc32c, read_records
from pixelpush.errors import InputError
from pixelpush.training.checkpoint import Progress, TrainState, restore, verify_save, write_save
from pixelpush.vpn import VideoPixelNetwork, build_model, load_model, save_model

Damage = Callable[[bytes, np.random.Generator], bytes]


@dataclass(frozen=True)
class Target:
    """A file, how it is damaged, and its reader, which says whether what it gave is right."""

    name: str
    file: Path
    damage: Damage
    read: Callable[[], bool]


def targets(folder: Path) -> list[Target]:
    """Write an intact file of every kind into a folder and return what to do with each."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *_pictures(folder),
        *_tables(folder),
        *_store(folder / "store"),
        _tfrecord(folder / "a.tfrecord"),
        *_model(folder / "model"),
        *_save(folder / "run"),
    ]


def episodes() -> list[Episode]:
    """Three small episodes, always the same."""
    found = []
    for number in range(3):
        rng = np.random.default_rng(number)
        frames = rng.integers(0, 256, (4, 3, 8, 8), dtype=np.uint8)
        vectors = rng.normal(size=(4, 2)).astype(np.float32)
        found.append(Episode(frames, vectors, vectors, f"episode-{number}"))
    return found


def _written(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def _pictures(folder: Path) -> list[Target]:
    picture = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    png = _written(folder / "a.png", encode_png(picture, compression=6))
    jpeg = _written(folder / "a.jpg", cv2.imencode(".jpg", picture)[1].tobytes())

    def exact() -> bool:
        return np.array_equal(decode_image(png.read_bytes(), "a.png"), picture)

    def well_formed() -> bool:  # a JPEG has no checksum
        found = decode_image(jpeg.read_bytes(), "a.jpg")
        return found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3

    return [Target("PNG", png, damage, exact), Target("JPEG", jpeg, damage, well_formed)]


def _tables(folder: Path) -> list[Target]:
    values = np.random.default_rng(1).normal(size=(5, 2)).astype(np.float32)
    rows = [[float(cell) for cell in row] for row in values]
    text = "x,y\n" + "".join(f"{row[0]!r},{row[1]!r}\n" for row in rows)
    csv = _written(folder / "a.csv", text.encode())
    table = _written(folder / "a.json", json.dumps({"columns": ["x", "y"], "data": rows}).encode())
    array = _written(folder / "a.npy", encode_array(values))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("states.npy", encode_array(values))
    packed = _written(folder / "a.npz", buffer.getvalue())

    def csv_is_finite() -> bool:
        found = read_csv(csv.read_bytes(), "a.csv")
        return bool(np.isfinite(found.select(found.columns)).all())

    def json_is_finite() -> bool:
        found = read_json_table(table.read_bytes(), "a.json")
        return bool(np.isfinite(found.select(found.columns)).all())

    def array_is_plain() -> bool:
        return decode_array(array.read_bytes(), "a.npy").dtype.kind in "biuf"

    def archive_is_exact() -> bool:
        archive = Archive(packed)
        found = [decode_array(archive.read(name), name) for name in archive.names()]
        return all(np.array_equal(one, values) for one in found)

    return [
        Target("CSV", csv, damage, csv_is_finite),
        Target("JSON table", table, damage_json, json_is_finite),
        Target(".npy", array, damage, array_is_plain),
        Target(".npz", packed, damage, archive_is_exact),
    ]


def _store(folder: Path) -> list[Target]:
    wanted = [content_hash(episode) for episode in episodes()]
    if not folder.exists():
        write_store(folder, {"train": episodes()}, {})

    def exact() -> bool:
        store = EpisodeStore(folder, "train")
        return [content_hash(store[index]) for index in range(len(store))] == wanted

    return [
        Target("shard", folder / "train-00000.array_record", damage, exact),
        Target("store.json", folder / "store.json", damage_json, exact),
    ]


def _tfrecord(file: Path) -> Target:
    records = [np.random.default_rng(number).bytes(40) for number in range(4)]
    framed = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        framed += length + struct.pack("<I", masked_crc32c(length))
        framed += record + struct.pack("<I", masked_crc32c(record))
    file.write_bytes(framed)

    frame = len(framed) // len(records)

    def exact() -> bool:
        """Every record that is read was written, and every byte is of one or was reported.

        Whole records that are missing, moved or doubled go unnoticed: the format does not number
        them."""
        log = DamageLog(100, report=lambda line: None)
        read = [record.data for record in read_records(file, log)]
        intact = len(read) * frame == file.stat().st_size
        return all(data in records for data in read) and (intact or bool(log.found))

    return Target("TFRecord", file, damage, exact)


def tiny_model() -> VideoPixelNetwork:
    """A model of a few thousand weights."""
    torch.manual_seed(0)
    sizes = {"channels": 8, "encoder_blocks": 1, "coarse_scales": 0, "lstm_channels": 4}
    sizes |= {"decoder_blocks": 1, "components": 2, "state_dim": 2, "action_dim": 2}
    return build_model("ot", frame_size=8, **sizes)


def _model(folder: Path) -> list[Target]:
    if not folder.exists():
        save_model(tiny_model(), folder)

    def finite() -> bool:  # a saved model's weights have no digest
        weights = load_model(folder, family="video").state_dict().values()
        return all(bool(torch.isfinite(value).all()) for value in weights)

    return [
        Target("model.json", folder / "model.json", damage_json, finite),
        Target("model.safetensors", folder / "model.safetensors", damage, finite),
    ]


def _save(run: Path) -> list[Target]:
    state = _trained()
    save = run / "checkpoints" / "0000000005"
    if not save.exists():
        run.mkdir(parents=True)
        write_save(run, state, keep=1)
    wanted = state.model.state_dict()

    def exact() -> bool:
        verify_save(save)
        found = _trained()
        restore(save, found)
        values = found.model.state_dict()
        return all(torch.equal(value, wanted[name]) for name, value in values.items())

    def finite() -> bool:
        """Behind the digests: as if they had been renewed."""
        found = _trained()
        restore(save, found)
        slots = [slot for slots in found.optimizer.state.values() for slot in slots.values()]
        return all(bool(torch.isfinite(slot).all()) for slot in slots)

    return [
        Target("progress.json", save / "progress.json", damage_json, exact),
        Target("weights of a save", save / "model.safetensors", damage, exact),
        Target("optimiser, digests renewed", save / "optimizer.pt", damage, finite),
    ]


def _trained() -> TrainState:
    model = tiny_model()
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return TrainState("video", model, None, optimizer, Progress(5, 1, 1.0))


def refused_or_right(target: Target) -> str:
    """'refused' or 'accepted'; whatever else happens is described.

    >>> accepting = Target("a", Path("a"), damage, lambda: True)
    >>> refused_or_right(accepting)
    'accepted'
    """
    try:
        right = target.read()
    except InputError as error:
        return "refused" if "\n" not in str(error) else f"more than one line: {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    return "accepted" if right else "accepted, and wrong"
