"""Imports point one way, and asking for help loads nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Package -> what it may import besides itself; the leaf modules are open to all.
ALLOWED = {
    "image": set(),
    "datasets": set(),
    "vpn": {"image"},
    "training": {"vpn", "image", "datasets"},
    "eval": {"training", "vpn", "image", "datasets"},
    "pixelpush": {"eval", "training", "vpn", "image", "datasets"},
}
LEAVES = {
    "errors",
    "files",
    "hub",
    "finding",
    "precision",
    "progress",
    "published",
    "registry",
    "saved",
    "settings",
    "words",
}


def imported_modules(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        if package == "pixelpush" and file.name == "__init__.py":
            continue  # names modules as strings only
        leaf = package == "pixelpush" and file.stem in LEAVES
        allowed = LEAVES if leaf else ALLOWED[package] | LEAVES | {package}
        for name in imported_modules(file):
            parts = name.split(".")
            if parts[0] == "pixelpush" and len(parts) > 1 and parts[1] != "__version__":
                own = package == "pixelpush" and parts[1] in {
                    "cli",
                    "doctor",
                    "installation",
                    "soundness",
                }
                assert parts[1] in allowed or own, f"{file.relative_to(ROOT)} imports {name}"


def test_the_command_line_loads_nothing_heavy_before_a_command_runs():
    heavy = ("torch", "cv2", "tensorflow_datasets", "mujoco", "matplotlib")
    code = f"import sys, pixelpush.cli; print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_public_names_resolve():
    import pixelpush

    assert all(getattr(pixelpush, name) is not None for name in pixelpush.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pixelpush.nonsense


def test_tables_of_the_pages_have_headers():
    """A site draws an empty header as an empty grey row; the first of its cells may be empty."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    headed = [
        (page.relative_to(ROOT), header)
        for page in pages
        for header in re.findall(r"^(\|.*)\n\|(?: *:?-+:? *\|)+$", page.read_text(), re.MULTILINE)
    ]
    assert len(headed) > 20
    assert [found for found in headed if not found[1].strip("| ")] == []
