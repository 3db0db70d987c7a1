"""Fixtures of the data tests: small episodes and raw recordings in each source's own form.

Makes ``tfrecord_writer`` importable by the tests of this folder.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import example_class
from pixelpush.datasets.store import write_store

sys.path.insert(0, str(Path(__file__).parent))

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def make_episode() -> Callable[..., Episode]:
    def make(
        seed: int,
        length: int = 5,
        size: int = 16,
        channels: int = 3,
        state: int = 5,
        action: int = 4,
        **extra,
    ):
        rng = np.random.default_rng(seed)
        return Episode(
            frames=rng.integers(0, 256, (length, channels, size, size), dtype=np.uint8),
            states=rng.normal(size=(length, state)).astype(np.float32),
            actions=rng.normal(size=(length, action)).astype(np.float32),
            id=f"episode-{seed}",
            extra=extra,
        )

    return make


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Episode, Episode], None]:
    def check(a: Episode, b: Episode) -> None:
        assert a.id == b.id
        for name in ("frames", "states", "actions"):
            left, right = getattr(a, name), getattr(b, name)
            assert (left.dtype, left.shape) == (right.dtype, right.shape)
            np.testing.assert_array_equal(left, right)
        assert set(a.extra) == set(b.extra)
        for name, array in a.extra.items():
            assert (array.dtype, array.shape) == (b.extra[name].dtype, b.extra[name].shape)
            np.testing.assert_array_equal(array, b.extra[name])

    return check


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """uint8 (30, 64, 64, 3): the recorded BAIR frames where they are at hand, else drawn ones."""
    sample = SHARED_DATA / "bair" / "bair_sample.npz"
    if sample.is_file():
        with np.load(sample, allow_pickle=False) as arrays:
            return arrays["aux1_image"].astype(np.uint8)
    frames = np.full((30, 64, 64, 3), 120, dtype=np.uint8)
    for index, frame in enumerate(frames):
        cv2.circle(frame, (10 + index, 30), 6, (200, 40, 40), -1)
        cv2.rectangle(frame, (40, 40), (55, 50 + index // 4), (40, 160, 60), -1)
    return frames


@pytest.fixture(scope="session")
def google_example(pictures) -> Callable[..., bytes]:
    """A record in the Google push schema: ``moves`` moves of which only those in ``imaged`` carry a
    picture."""

    def encode(frame: np.ndarray) -> bytes:
        large = cv2.resize(frame, (640, 512), interpolation=cv2.INTER_CUBIC)
        return cv2.imencode(".jpg", large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()

    jpegs = [encode(frame) for frame in pictures[:12]]

    def build(moves: int = 12, imaged: range | list[int] = range(12), offset: float = 0.0) -> bytes:
        example = example_class()()
        feature = example.features.feature
        # Backwards, so that nothing can lean on the stored order.
        for move in reversed(range(moves)):
            pose = np.arange(5) + move + offset
            feature[f"move/{move}/endeffector/vec_pitch_yaw"].float_list.value.extend(pose.tolist())
            feature[f"move/{move}/commanded_pose/vec_pitch_yaw"].float_list.value.extend(
                (pose + 0.5).tolist()
            )
            feature[f"move/{move}/arm/joints"].float_list.value.extend([0.0] * 7)
            if move in imaged:
                feature[f"move/{move}/image/encoded"].bytes_list.value.append(jpegs[move % 12])
        return example.SerializeToString()

    return build


@pytest.fixture(scope="module")
def episodes(make_episode):
    poses = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    segmentation = np.arange(50, dtype=np.uint8).reshape(2, 25)
    return [
        make_episode(0, length=7, poses=poses, segmentation=segmentation, entropy=np.array(2.5)),
        make_episode(1, length=2),
        make_episode(2, length=30, poses=poses[:1]),
        make_episode(3, length=1),
        make_episode(4, length=5),
    ]


@pytest.fixture(scope="module")
def written(episodes, tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "example"
    splits = {"train": iter(episodes), "test-novel": episodes[:2]}
    return write_store(path, splits, {"source": "test"}, episodes_per_shard=2)


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copytree(written, tmp_path / "copy")
