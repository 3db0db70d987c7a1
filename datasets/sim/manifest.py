"""The committed manifest: version, splits and hashes of a few episodes, so that everyone evaluates
on the same bytes.

python -m pixelpush.datasets.sim.manifest            check that this machine makes these bytes
python -m pixelpush.datasets.sim.manifest --write    write it anew (after raising SCENE_VERSION)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pixelpush.datasets.records import content_hash
from pixelpush.datasets.sim.generate import generate_episode, identity
from pixelpush.datasets.sim.names import LABORATORIES
from pixelpush.datasets.sim.splits import DEFAULT_EPISODES
from pixelpush.files import read_json, write_json

PATH = Path(__file__).with_name("manifest.json")
SIZE = 64
HASHED = 4  # episodes of each split


def make_manifest(hashed: int = HASHED) -> dict[str, Any]:
    """The manifest of this version on this machine, from the first ``hashed`` episodes of each
    laboratory's splits."""
    return {name: _laboratory(name, hashed) for name in LABORATORIES}


def _laboratory(name: str, hashed: int) -> dict[str, Any]:
    splits = {
        split: {
            "episodes": count,
            "content_sha256": [
                content_hash(generate_episode(name, split, number, SIZE))
                for number in range(hashed)
            ],
        }
        for split, count in DEFAULT_EPISODES.items()
    }
    return {"identity": identity(name, SIZE), "splits": splits}


def differences(found: dict[str, Any], committed: dict[str, Any]) -> list[str]:
    """What the committed manifest has otherwise, a line each; hashes are compared as far as
    ``found`` has them."""
    nothing = {"identity": {}, "splits": {}}
    return [
        f"{name}/{line}"
        for name, fields in found.items()
        for line in _differences(fields, committed.get(name, nothing))
    ]


def _differences(found: dict[str, Any], committed: dict[str, Any]) -> list[str]:
    lines = []
    if found["identity"] != committed["identity"]:
        lines.append(f"identity: {found['identity']}, committed {committed['identity']}")
    for split, fields in found["splits"].items():
        other = committed["splits"].get(split, {"episodes": 0, "content_sha256": []})
        if fields["episodes"] != other["episodes"]:
            lines.append(f"{split}: {fields['episodes']} episodes, committed {other['episodes']}")
        for number, digest in enumerate(fields["content_sha256"]):
            if [digest] != other["content_sha256"][number : number + 1]:
                lines.append(f"{split}: episode {number} has other bytes")
    return lines


def main() -> int:
    """Check or write the manifest; exit code 1 if it does not hold here."""
    parser = argparse.ArgumentParser(description="The manifest of the simulated bin.")
    parser.add_argument(
        "--write", action="store_true", help="write manifest.json instead of checking it"
    )
    if parser.parse_args().write:
        write_json(PATH, make_manifest())
        return 0
    lines = differences(make_manifest(), read_json(PATH))
    print("\n".join(lines) or f"{PATH.name}: this machine makes the same bytes.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
