"""The lowest versions that are declared, as pip's constraints."""

from __future__ import annotations

import re

import pytest
from packaging.version import Version

from experiments.lowest_versions import PINNED, PYPROJECT, lowest_versions, pinned_versions


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


def test_what_is_kept_stays_at_the_pinned_version():
    kept = pinned_versions(PINNED.read_text(), ["torch"])
    lines = lowest_versions(PYPROJECT.read_text(), kept)
    assert f"torch=={kept['torch']}" in lines
    assert len(lines) == len(lowest_versions(PYPROJECT.read_text()))
    with pytest.raises(KeyError, match="no-such-package"):
        pinned_versions(PINNED.read_text(), ["no-such-package"])


def test_newer_pythons_begin_where_builds_for_them_begin():
    text = PYPROJECT.read_text()
    old, middle, new = (
        dict(line.split("==") for line in lowest_versions(text, python=(3, minor)))
        for minor in (10, 12, 13)
    )
    assert "mujoco-core" not in old
    assert "mujoco-core" in middle
    assert old["numpy"] == middle["numpy"] == "2.0.*"
    # numpy 2.0, array-record 0.5 and pyarrow 17 have none for Python 3.13.
    assert (new["numpy"], new["array-record"], new["pyarrow"]) == ("2.1.*", "0.7.*", "18.*")
