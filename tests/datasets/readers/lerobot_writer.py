"""Writes small LeRobot data sets in every version's own layout, for the reader's tests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pyarrow
import pyarrow.parquet

from pixelpush.datasets.video import ffmpeg_program

FPS = 30


def episode(index: int, length: int, size: int = 32):
    """(frames, states, actions): brightness tells episode and frame; actions are the next state."""
    levels = 20 + 40 * index + np.arange(length)
    frames = np.broadcast_to(levels[:, None, None, None], (length, size, size, 3)).astype(np.uint8)
    rng = np.random.default_rng(index)
    states = np.cumsum(rng.normal(size=(length, 2)) * 0.01, axis=0).astype(np.float32) + 0.3
    return frames, states, np.concatenate([states[1:], states[-1:]])


def write_video(path: Path, frames: np.ndarray, codec: str = "libx264") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    command = [ffmpeg_program(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", size, "-r", str(FPS), "-i", "-", "-c:v", codec, "-pix_fmt", "yuv420p"]
    command += ["-g", "2", "-crf", "4", str(path)]
    subprocess.run(command, input=np.ascontiguousarray(frames).tobytes(), check=True)


def png(frame: np.ndarray) -> bytes:
    return cv2.imencode(".png", frame[..., ::-1])[1].tobytes()


def features(kind: str, state: str, action: str, camera: str, size: int = 32) -> dict:
    vector = {"dtype": "float32", "shape": [2]}
    found = {
        state: {**vector, "names": {"motors": ["a", "b"]}},
        action: {**vector, "names": ["a", "b"]},
        camera: {"dtype": kind, "shape": [size, size, 3], "names": ["height", "width", "channel"]},
    }
    for key in ("frame_index", "episode_index", "index", "task_index"):
        found[key] = {"dtype": "int64", "shape": [1], "names": None}
    return {**found, "timestamp": {"dtype": "float32", "shape": [1], "names": None}}


def table(indices, lengths, keys, kind, first=0) -> pyarrow.Table:
    """The rows of these episodes, one after the other."""
    state, action, camera = keys
    columns: dict[str, list] = {key: [] for key in (state, action, "timestamp", "episode_index")}
    pictures = []
    for index, length in zip(indices, lengths, strict=True):
        frames, states, actions = episode(index, length)
        columns[state] += states.tolist()
        columns[action] += actions.tolist()
        columns["timestamp"] += (np.arange(length) / FPS).astype(np.float32).tolist()
        columns["episode_index"] += [index] * length
        pictures += [{"bytes": png(frame), "path": f"{n}.png"} for n, frame in enumerate(frames)]
    if kind == "image":
        columns[camera] = pictures
    return pyarrow.table(columns)


def write_v2(
    root: Path,
    lengths,
    version="v2.1",
    kind="video",
    keys=("observation.state", "action", "observation.images.top"),
    codec="libx264",
) -> Path:
    (root / "meta").mkdir(parents=True)
    (root / "data" / "chunk-000").mkdir(parents=True)
    info = {
        "codebase_version": version,
        "fps": FPS,
        "chunks_size": 1000,
        "features": features(kind, *keys),
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/"
        "episode_{episode_index:06d}.mp4",
    }
    (root / "meta" / "info.json").write_text(json.dumps(info))
    lines = [
        json.dumps({"episode_index": i, "tasks": ["push"], "length": n})
        for i, n in enumerate(lengths)
    ]
    (root / "meta" / "episodes.jsonl").write_text("\n".join(lines) + "\n")
    for index, length in enumerate(lengths):
        path = root / "data" / "chunk-000" / f"episode_{index:06d}.parquet"
        pyarrow.parquet.write_table(table([index], [length], keys, kind), path)
        if kind == "video":
            video = root / "videos" / "chunk-000" / keys[2] / f"episode_{index:06d}.mp4"
            write_video(video, episode(index, length)[0], codec)
    return root


def write_v3(
    root: Path,
    lengths,
    files=((0, 1), (2,)),
    video_files=((0, 1, 2),),
    kind="video",
    keys=("observation.state", "action", "observation.images.top"),
    row_group=7,
) -> Path:
    """Several episodes a data file and, cut elsewhere, a video."""
    (root / "meta" / "episodes" / "chunk-000").mkdir(parents=True)
    (root / "data" / "chunk-000").mkdir(parents=True)
    info = {
        "codebase_version": "v3.0",
        "fps": FPS,
        "features": features(kind, *keys),
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    }
    (root / "meta" / "info.json").write_text(json.dumps(info))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rows: dict[str, list] = {"episode_index": list(range(len(lengths))), "length": list(lengths)}
    rows["tasks"] = [["push"]] * len(lengths)
    rows["dataset_from_index"] = starts[:-1].tolist()
    rows["dataset_to_index"] = starts[1:].tolist()
    rows["data/chunk_index"] = [0] * len(lengths)
    rows["data/file_index"] = [
        next(f for f, members in enumerate(files) if i in members) for i in range(len(lengths))
    ]
    for number, members in enumerate(files):
        path = root / "data" / "chunk-000" / f"file-{number:03d}.parquet"
        content = table(members, [lengths[i] for i in members], keys, kind)
        pyarrow.parquet.write_table(content, path, row_group_size=row_group)
    if kind == "video":
        camera = keys[2]
        places = {}
        for number, members in enumerate(video_files):
            at = 0
            for index in members:
                places[index] = (number, at / FPS, (at + lengths[index]) / FPS)
                at += lengths[index]
            video = root / "videos" / camera / "chunk-000" / f"file-{number:03d}.mp4"
            write_video(video, np.concatenate([episode(i, lengths[i])[0] for i in members]))
        rows[f"videos/{camera}/chunk_index"] = [0] * len(lengths)
        for part, name in enumerate(("file_index", "from_timestamp", "to_timestamp")):
            rows[f"videos/{camera}/{name}"] = [places[i][part] for i in range(len(lengths))]
    path = root / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    return root
