"""An episode is a pure function of (laboratory, split, number, size), whichever process makes it
and after whatever else."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from pixelpush.datasets.records import content_hash
from pixelpush.datasets.sim import manifest
from pixelpush.datasets.sim.generate import generate_episode, identity
from pixelpush.datasets.sim.splits import DEFAULT_EPISODES

_HASH = """
from pixelpush.datasets.records import content_hash
from pixelpush.datasets.sim.generate import generate_episode
print(content_hash(generate_episode("sim", "train", 1)))
"""


@pytest.mark.parametrize("split", DEFAULT_EPISODES)
def test_first_episodes_have_the_committed_bytes(split, episode):
    committed = manifest.committed_manifest()["sim"]
    assert committed.identity == identity("sim", 64)
    assert committed.splits[split].episodes == DEFAULT_EPISODES[split]
    assert content_hash(episode(split, 0)) == committed.splits[split].content_sha256[0]


@pytest.mark.slow
def test_manifest_holds():
    assert manifest.differences(manifest.make_manifest(), manifest.committed_manifest()) == []


def test_manifest_differences_are_named():
    def made(*hashes):
        return manifest.Manifest({"hash": "a"}, {"val": manifest.SplitManifest(256, hashes)})

    committed = {"sim": made("1", "2", "3")}
    assert manifest.differences({"sim": made("0")}, committed) == [
        "sim/val: episode 0 has other bytes"
    ]
    assert manifest.differences({"sim": made("1", "2")}, committed) == []
    assert manifest.differences({"sim-diverse": made("1")}, committed)[0].startswith(
        "sim-diverse/identity"
    )


def test_other_processes_make_the_same_bytes_without_vector_kernels(episode):
    """Alone in a fresh process, with NumPy's vector kernels switched off: what another CPU would
    run."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched

    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched)}
    command = [sys.executable, "-W", "ignore", "-c", _HASH]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()
    assert found == content_hash(episode("train", 1))


def test_what_was_made_before_does_not_matter(episode):
    first = episode("test-novel", 0)
    generate_episode("sim", "test-novel", 1)
    again = generate_episode("sim", "test-novel", 0)
    assert content_hash(again) == content_hash(first)


def test_other_sizes_show_the_same_episode(episode):
    small, large = episode("val", 0), generate_episode("sim", "val", 0, 128)
    np.testing.assert_array_equal(small.states, large.states)
    np.testing.assert_array_equal(small.actions, large.actions)
    np.testing.assert_array_equal(small.extra["object_poses"], large.extra["object_poses"])
    # Averaged down, the large frames are nearly the small ones.
    blocks = large.frames.reshape(20, 3, 64, 2, 64, 2).astype(float).mean(axis=(3, 5))
    assert np.abs(blocks - small.frames).mean() < 4


def test_shapes_and_types(episode):
    made = episode("train", 0)
    count = len(made.extra["objects"])
    assert made.frames.shape == (20, 3, 64, 64)
    assert made.frames.dtype == np.uint8
    assert made.states.shape == made.actions.shape == (20, 5)
    assert made.states.dtype == made.actions.dtype == np.float32
    assert made.extra["object_poses"].shape == (20, count, 7)
    assert made.extra["segmentation"].shape == (20, 64, 64)
    assert made.extra["segmentation"].max() < 2 + count


def test_frames_use_the_range_of_levels(episode):
    for split in DEFAULT_EPISODES:
        frames = episode(split, 0).frames
        assert 60 < frames.mean() < 190
        assert (frames < 8).mean() < 0.02
        assert (frames > 247).mean() < 0.02
