"""The lowest version that pyproject.toml allows of every direct dependency, as pip's constraints.

python -m experiments.lowest_versions > lowest.txt

``make ranges`` installs exactly these, and then the newest allowed, and runs a smoke test on
both."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_REQUIREMENT = re.compile(r'"([A-Za-z0-9._-]+)(\[[^]]*\])?(?:>=|==)([0-9][0-9A-Za-z.]*)')


def lowest_versions(text: str) -> list[str]:
    """Return 'name==version.*' for every requirement with a lower bound, in the order of the file.

    Tools that only work on the source (lint, build) are left out.

    >>> lowest_versions('dependencies = ["torch>=2.6", "mujoco-core==4.0.1"]')
    ['torch==2.6.*', 'mujoco-core==4.0.1.*']
    """
    kept = "".join(line for line in text.splitlines(True) if not line.startswith(("lint", "requi")))
    return [f"{name}=={version}.*" for name, _, version in _REQUIREMENT.findall(kept)]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest_versions(PYPROJECT.read_text())) + "\n")
