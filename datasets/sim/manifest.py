"""The committed manifest: version, splits and hashes of a few episodes, so that everyone evaluates
on the same bytes.

python -m pixelpush.datasets.sim.manifest            check that this machine makes these bytes
python -m pixelpush.datasets.sim.manifest --write    write it anew (after raising SCENE_VERSION)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pixelpush.datasets.records import content_hash
from pixelpush.datasets.sim.generate import generate_episode, identity
from pixelpush.datasets.sim.names import LABORATORIES
from pixelpush.datasets.sim.splits import DEFAULT_EPISODES
from pixelpush.files import read_json, write_json

PATH = Path(__file__).with_name("manifest.json")
SIZE = 64
HASHED = 4  # episodes of each split


@dataclass(frozen=True)
class SplitManifest:
    """A split: its default number of episodes, and the content hashes of its first ones.

    >>> SplitManifest(episodes=256, content_sha256=("ab",)).episodes
    256
    """

    episodes: int = 0
    content_sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A laboratory: what decides its bytes, and its splits.

    >>> Manifest({"scene": 4}, {"train": SplitManifest(5000)}).splits["train"].episodes
    5000
    """

    identity: Mapping[str, str | int] = field(default_factory=dict)
    splits: Mapping[str, SplitManifest] = field(default_factory=dict)


def make_manifest(hashed: int = HASHED) -> dict[str, Manifest]:
    """The manifests of the laboratories as this version makes them on this machine.

    hashed: how many episodes of each split are made and hashed.

    >>> differences(make_manifest(hashed=0), committed_manifest())
    []
    """
    return {name: _laboratory(name, hashed) for name in LABORATORIES}


def _laboratory(name: str, hashed: int) -> Manifest:
    splits = {
        split: SplitManifest(
            count,
            tuple(
                content_hash(generate_episode(name, split, number, SIZE))
                for number in range(hashed)
            ),
        )
        for split, count in DEFAULT_EPISODES.items()
    }
    return Manifest(identity(name, SIZE), splits)


def committed_manifest() -> dict[str, Manifest]:
    """The manifests of the laboratories as they are committed.

    >>> committed_manifest()["sim"].splits["train"].episodes
    5000
    """
    return {
        name: Manifest(
            fields["identity"],
            {
                split: SplitManifest(found["episodes"], tuple(found["content_sha256"]))
                for split, found in fields["splits"].items()
            },
        )
        for name, fields in read_json(PATH).items()
    }


def differences(found: Mapping[str, Manifest], committed: Mapping[str, Manifest]) -> list[str]:
    """The differences from the committed manifest, a line each.

    Hashes are compared as far as ``found`` has them.

    >>> found = {"sim": Manifest({}, {"val": SplitManifest(9)})}
    >>> differences(found, {"sim": Manifest({}, {"val": SplitManifest(8)})})
    ['sim/val: 9 episodes, committed 8']
    """
    return [
        f"{name}/{line}"
        for name, manifest in found.items()
        for line in _differences(manifest, committed.get(name, Manifest()))
    ]


def _differences(found: Manifest, committed: Manifest) -> list[str]:
    lines = []
    if found.identity != committed.identity:
        lines.append(f"identity: {found.identity}, committed {committed.identity}")
    for split, fields in found.splits.items():
        other = committed.splits.get(split, SplitManifest())
        if fields.episodes != other.episodes:
            lines.append(f"{split}: {fields.episodes} episodes, committed {other.episodes}")
        for number, digest in enumerate(fields.content_sha256):
            if (digest,) != other.content_sha256[number : number + 1]:
                lines.append(f"{split}: episode {number} has other bytes")
    return lines


def main() -> int:
    """Check or write the manifest; exit code 1 if it does not hold here.

    >>> from unittest import mock
    >>> with mock.patch.object(sys, "argv", ["manifest", "--x"]), mock.patch.object(sys, "stderr"):
    ...     main()
    Traceback (most recent call last):
    SystemExit: 2
    """
    parser = argparse.ArgumentParser(description="The manifest of the simulated bin.")
    parser.add_argument(
        "--write", action="store_true", help="write manifest.json instead of checking it"
    )
    if parser.parse_args().write:
        made = {name: asdict(manifest) for name, manifest in make_manifest().items()}
        write_json(PATH, made)
        return 0
    lines = differences(make_manifest(), committed_manifest())
    print("\n".join(lines) or f"{PATH.name}: this machine makes the same bytes.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
