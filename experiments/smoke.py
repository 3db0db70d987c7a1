"""A minute's use of an installation: simulate, score, roll out, draw a film.

python experiments/smoke.py

Run by ``make ranges`` with the lowest and the newest versions of everything."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from pixelpush import cli


def main() -> None:
    """Run commands in an empty folder, and look at what they wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        os.environ["PIXELPUSH_DATA"] = str(out / "data")
        few = ["--episodes", "1", "--val-episodes", "1", "--test-episodes", "1", "--workers", "1"]
        cli.run(["prepare", "sim", *few])
        given = ["--model", "push-ot-small", "--data", "sim", "--split", "test-novel"]
        cli.run(["nll", *given, "--no-reference", "--quiet", "--json", str(out / "nll.json")])
        assert json.loads((out / "nll.json").read_text())
        futures = ["--steps", "2", "--samples", "1", "--quiet"]
        cli.run(["rollout", *given, "--out", str(out / "film"), *futures])
        assert list((out / "film").glob("*.mp4"))
    print("smoke test passed")


if __name__ == "__main__":
    main()
