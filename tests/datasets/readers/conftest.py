"""Recordings for the readers' tests; makes the writers of this folder importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from folder_recordings import csv_text, write_images


@pytest.fixture
def frames(pictures):
    return pictures[:12]


@pytest.fixture
def episode(tmp_path, frames):
    """The plainest layout: PNG frames without leading zeros, and one CSV."""
    folder = tmp_path / "raw" / "run1"
    write_images(folder / "camera", frames)
    (folder / "robot.csv").write_text(csv_text(12))
    return folder
