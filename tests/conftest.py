"""Fixtures that every room's tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The experiments are not in the wheel; tests import them from the checkout. Appended, so that the
# folders at the root hide no library of the same name.
sys.path.append(str(Path(__file__).resolve().parents[1]))
# Helpers that tests of several packages import.
sys.path.insert(0, str(Path(__file__).parent / "helpers"))

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded samples kept outside the repository; tests that need it skip where it is
    absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"recorded samples are not here: {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def reproducible():
    """Only what gives the same bits in every run is allowed."""
    import torch

    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
