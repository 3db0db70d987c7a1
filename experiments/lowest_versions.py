"""The lowest version that pyproject.toml allows of every direct dependency, as pip's constraints.

python -m experiments.lowest_versions > lowest.txt
python -m experiments.lowest_versions --keep torch > lowest.txt
python -m experiments.lowest_versions --keep torch --only-kept > kept.txt

``make ranges`` installs exactly these, and then the newest allowed, and runs a smoke test on both.
What --keep names stays at the version of constraints.txt in both: torch weighs gigabytes, and not
every machine can get each of its versions."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"
PINNED = ROOT / "constraints.txt"
_REQUIREMENT = re.compile(
    r'"([A-Za-z0-9._-]+)(?:\[[^]]*\])?(?:>=|==)([0-9][0-9A-Za-z.]*)'
    r"(?:; python_version >= '3\.(\d+)')?\""
)


def lowest_versions(
    text: str,
    kept: Mapping[str, str] | None = None,
    python: tuple[int, int] = sys.version_info[:2],
) -> list[str]:
    r"""Return 'name==version.*' for every requirement with a lower bound, in the order of the file.

    Tools that only work on the source (lint, build) are left out. kept: versions by name that stand
    in place of the lowest. python: whose requirements; where a later line has a higher bound for
    newer Pythons, that one holds.

    >>> text = '"torch>=2.6", "numpy>=2.0", "numpy>=2.1; python_version >= \'3.13\'"'
    >>> lowest_versions(text, {"torch": "2.13.0"}, python=(3, 12))
    ['torch==2.13.0', 'numpy==2.0.*']
    >>> lowest_versions(text, python=(3, 13))
    ['torch==2.6.*', 'numpy==2.1.*']
    """
    chosen = "".join(
        line for line in text.splitlines(True) if not line.startswith(("lint", "requi"))
    )
    lowest = {
        name: version
        for name, version, minor in _REQUIREMENT.findall(chosen)
        if not minor or python >= (3, int(minor))
    }
    return [
        f"{name}=={kept[name]}" if kept and name in kept else f"{name}=={version}.*"
        for name, version in lowest.items()
    ]


def pinned_versions(text: str, names: Sequence[str]) -> dict[str, str]:
    """Return the versions that constraints pin the named packages to; an unpinned one raises
    KeyError.

    >>> pinned_versions("torch==2.13.0\\nnumpy==2.1.0\\n", ["torch"])
    {'torch': '2.13.0'}
    """
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE))
    return {name: pins[name] for name in names}


def main() -> None:
    """Print the constraints; on stderr, what was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--only-kept", action="store_true", help="print what is kept, and no other")
    options = parser.parse_args()
    kept = pinned_versions(PINNED.read_text(), options.keep)
    for name, version in kept.items():
        print(f"{name} stays at {version}: its other versions are not tried", file=sys.stderr)
    lines = [f"{name}=={version}" for name, version in kept.items()]
    if not options.only_kept:
        lines = lowest_versions(PYPROJECT.read_text(), kept)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
