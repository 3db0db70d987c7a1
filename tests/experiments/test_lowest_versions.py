"""The lowest versions that are declared, as pip's constraints."""

from __future__ import annotations

import re

from packaging.version import Version

from experiments.lowest_versions import PYPROJECT, lowest_versions


def test_every_requirement_has_a_lower_bound_below_what_is_pinned():
    text = PYPROJECT.read_text()
    lowest = dict(line.split("==") for line in lowest_versions(text))
    assert {"torch", "numpy", "protobuf", "mujoco-core", "h5py", "pytest"} <= lowest.keys()
    assert not {"ruff", "pyright", "setuptools"} & lowest.keys()
    pinned = (PYPROJECT.parent / "constraints.txt").read_text()
    for name, version in lowest.items():
        pattern = rf"^{re.sub('[-_.]', '[-_.]', name)}==([0-9.]+)"
        found = re.search(pattern, pinned, re.MULTILINE | re.IGNORECASE)
        # Optional extras that no pinned environment installs have no pin.
        assert found is None or Version(found[1]) >= Version(version.removesuffix(".*")), name
