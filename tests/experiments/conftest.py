"""The experiments are not in the wheel; their tests import them from the checkout."""

from __future__ import annotations

import sys
from pathlib import Path

# Appended, so that the folders at the root hide no library of the same name.
sys.path.append(str(Path(__file__).resolve().parents[2]))
