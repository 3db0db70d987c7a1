"""Makes the tiny models of other test folders importable by the tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS / "vpn"))
sys.path.insert(0, str(TESTS / "image"))


@pytest.fixture(autouse=True)
def _needs_the_coder():
    pytest.importorskip("constriction", reason="the extra [coding] is not installed")
