"""The command ``drive`` serves its page at the address that it prints."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra 'drive' is not installed")

from experiments.acting_speed import HEADLESS, served_page
from pixelpush.eval.driving.server import PAGE

ROOT = Path(__file__).parents[2]
READY = ROOT / ".venv" / ".ready"


def test_the_command_serves_its_page():
    command = [sys.executable, "-m", "pixelpush", "drive", *HEADLESS]
    assert served_page(command)[1] == PAGE.read_text()


def test_a_command_without_a_page_is_said():
    with pytest.raises(SystemExit, match="printed no address"):
        served_page([sys.executable, "-c", "print('nothing')"])


@pytest.mark.slow  # by the clock: on an overloaded machine it may fail
@pytest.mark.skipif(
    not READY.exists() or shutil.which("make") is None, reason="no environment built by make here"
)
def test_make_drive_serves_its_page_within_a_minute():
    """From an environment that is there, with the shipped weights."""
    options = f"DRIVE={' '.join(HEADLESS)}"
    command = ["make", "--directory", str(ROOT), "--assume-old=.venv/.ready", "drive", options]
    assert served_page(command)[0] < 60
