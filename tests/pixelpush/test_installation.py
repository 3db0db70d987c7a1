"""Two mixed checkouts are said at import; the wheel forgets no folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pixelpush
from pixelpush.installation import mixed_checkouts

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pixelpush", "image", "vpn", "datasets", "training", "eval")


def read_pyproject() -> dict:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib.loads((ROOT / "pyproject.toml").read_text())
    pytest.skip("tomllib comes with Python 3.11")


def test_one_checkout_says_nothing():
    assert mixed_checkouts(Path(pixelpush.__file__).parent) is None


def test_a_second_checkout_is_said_in_one_line(tmp_path: Path):
    """``python -c 'import pixelpush'`` in a clone takes pixelpush from there, vpn from here."""
    shutil.copytree(
        ROOT / "pixelpush", tmp_path / "pixelpush", ignore=shutil.ignore_patterns("weights")
    )
    shutil.copytree(ROOT / "vpn", tmp_path / "vpn")
    command = [sys.executable, "-c", "import pixelpush; print(pixelpush.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "pixelpush" / "__init__.py")
    said = next(line for line in done.stderr.splitlines() if "two checkouts are mixed" in line)
    assert f"pixelpush comes from {tmp_path / 'pixelpush'}" in said
    assert f"pixelpush.vpn from {ROOT / 'vpn'}" in said
    assert said.endswith(f"pip install --editable {tmp_path}")


def test_the_wheel_has_every_package_of_the_tree():
    named = read_pyproject()["tool"]["setuptools"]["packages"]
    found = {
        ".".join(("pixelpush", *file.parent.relative_to(ROOT).parts)).replace(
            "pixelpush.pixelpush", "pixelpush"
        )
        for package in PACKAGES
        for file in (ROOT / package).rglob("__init__.py")
    }
    assert sorted(named) == sorted(found)


def test_every_folder_of_modules_is_a_package():
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            assert (file.parent / "__init__.py").is_file(), f"{file.parent} has no __init__.py"
