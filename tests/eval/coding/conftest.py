"""Coding needs an optional package."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _needs_the_coder():
    pytest.importorskip("constriction", reason="the extra [coding] is not installed")
