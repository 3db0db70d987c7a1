"""Walk a researcher's first week with the commands themselves, and write what they print as a page.

python -m experiments.first_week --page docs/first_week.md

Everything happens in a folder of its own, data root included. A command that fails, or a file that
does not come, ends the walk with exit code 1."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import tyro

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).parent / "pixelpush"
RECORDINGS = 6
# A model that learns something in a minute of one core, and all it takes to stop it half-way.
TRAIN = (
    "train push-ot-small --data my-robot --run runs/mine --examples 48 --clip-frames 8 "
    "--save-examples 8 --validation-items 1 --learning-rate 2e-3 --set channels=16 "
    "--set lstm_channels=16 --set feature_channels=16"
)
_MOST_LINES = 40


@dataclass(frozen=True)
class Options:
    """What to do with the walk."""

    work: Path = Path("build/first-week")
    """Folder to work in; it must not exist."""
    page: Path | None = None
    """Write the transcript to this Markdown file."""
    minutes: float = 10.0
    """Fail if the whole walk takes longer; 0: never."""


class WalkFailed(Exception):
    """A command failed, or what it should have made is not there."""


@dataclass
class Walk:
    """The folder worked in, and the page so far."""

    work: Path
    parts: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the user's own data is seen or touched."""
        return {**os.environ, "PIXELPUSH_DATA": "data", "COLUMNS": "100", "NO_COLOR": "1"}

    def say(self, text: str) -> None:
        """A paragraph or heading of the page."""
        self.parts.append(text)
        print(f"\n{text}", flush=True)

    def run(self, command: str, *makes: str, stop_at: str = "") -> str:
        """Run a command and keep what it prints; each of ``makes`` must be there afterwards.

        stop_at: press Ctrl-C as soon as this file is there."""
        print(f"$ pixelpush {command}", flush=True)
        begin = time.monotonic()
        process = subprocess.Popen(
            [str(PROGRAM), *shlex.split(command)],
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if stop_at:
            while process.poll() is None and not (self.work / stop_at).exists():
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
        seconds = time.monotonic() - begin
        shown = self.shown(said)
        print(f"{shown}\n[{seconds:.0f} s]", flush=True)
        self.parts.append(f"```\n$ pixelpush {command}\n{shown}\n```")
        if process.returncode != 0:
            raise WalkFailed(f"'pixelpush {command}' ended with code {process.returncode}.")
        for name in makes:
            if not (self.work / name).exists():
                raise WalkFailed(f"'pixelpush {command}' made no {name}.")
        return said

    def shown(self, said: str) -> str:
        """What the page keeps: no bars, no folders of this machine, not hundreds of lines."""
        text = said.replace(f"{self.work.resolve()}/", "").replace(f"{ROOT}/", "")
        text = text.replace(str(Path.home()), "~")
        # Of what a bar drew over itself the last state stays.
        lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.splitlines()]
        lines = [line for line in lines if line and not re.search(r"\d%\|", line)]
        if len(lines) > _MOST_LINES:
            lines = [*lines[: _MOST_LINES - 8], "...", *lines[-7:]]
        return "\n".join(lines)


def record_a_robot(folder: Path) -> None:
    """Make recordings as a laboratory would have them, a folder of PNGs and a CSV for each episode.

    They are episodes of the simulated bin, so that nothing need be downloaded."""
    import cv2

    from pixelpush.datasets import open_dataset

    episodes = open_dataset("sim", "train", size=64, episodes=RECORDINGS)
    for number in range(RECORDINGS):
        episode = episodes[number]
        home = folder / f"run{number + 1}"
        (home / "camera").mkdir(parents=True)
        for time_step, frame in enumerate(episode.frames):
            picture = frame.transpose(1, 2, 0)[..., ::-1]
            cv2.imwrite(str(home / "camera" / f"frame_{time_step}.png"), picture)
        names = [f"state_{axis}" for axis in "xyzpw"] + [f"action_{axis}" for axis in "xyzpw"]
        rows = [
            ",".join(f"{value:.6f}" for value in (*state, *action))
            for state, action in zip(episode.states, episode.actions, strict=True)
        ]
        (home / "robot.csv").write_text("\n".join([",".join(names), *rows]) + "\n")


def walk(options: Options) -> list[str]:
    """The whole week; returns the page's parts. Raises WalkFailed."""
    options.work.mkdir(parents=True)
    week = Walk(options.work)
    week.say(
        "# The first week\n\nWritten by `python -m experiments.first_week`, which runs every "
        "command below; continuous integration runs it too. Progress bars are left out. The model "
        "trained here is tiny and its run takes seconds: the figures show that everything works, "
        "not what models can do."
    )
    week.say("## Is everything there?")
    week.run("--version")
    week.run("doctor")
    week.say(
        "## See it work\n\nThe demo simulates a little pushing, scores the shipped model and "
        "samples futures, first where it was trained, then at a station that it never saw."
    )
    week.run("demo --small --out demo", "demo/summary.png", "demo/nll.json")
    week.say(
        "## Your own recordings\n\nOne folder for each episode, its pictures and a table "
        "(docs/data.md has the other layouts; LeRobot, RLDS, HDF5 and zarr are read as they are). "
        "`prepare` looks at what lies there."
    )
    os.environ["PIXELPUSH_DATA"] = str((options.work / "data").resolve())
    record_a_robot(options.work / "recordings")
    week.run(
        "prepare --raw recordings --out my-robot --split 4/1/1",
        "my-robot/store.json",
        "my-robot/contact-sheet.png",
    )
    week.say("## Train, stop, continue\n\nCtrl-C saves and stops; the same command continues.")
    week.run("presets push-ot-small")
    week.run(TRAIN, "runs/mine/checkpoints", stop_at="runs/mine/checkpoints/0000000008")
    week.run(TRAIN, "runs/mine/final.json")
    week.run("curves runs/mine --out curves.png", "curves.png")
    week.say("## How good is it?\n\nBeside the reference row, which every model must beat.")
    week.run("nll --model runs/mine --split test", "runs/mine/final.json")
    week.say("## Look at what it predicts\n\n`index.html` is one page with players of everything.")
    rollout = "rollout --model runs/mine --split test --samples 2 --out rollouts"
    week.run(f"{rollout} --steps 8", "rollouts/index.html", "rollouts/rollout.json")
    week.say(
        "The same beginning under other actions, and further than was recorded; both are added to "
        "the page."
    )
    still = "\n".join(["x,y,z,p,w", *["0,0,0,0,0"] * 4])
    (options.work / "other.csv").write_text(still + "\n")
    week.run(f"{rollout} --actions other.csv", "rollouts/index.html")
    week.run(f"{rollout} --steps 22 --beyond hold", "rollouts/index.html")
    week.say("## Share it\n\nA folder with weights, configuration and a card that the Hub reads.")
    week.run("export runs/mine --to shared/my-robot", "shared/my-robot/README.md")
    week.run("nll --model shared/my-robot --data my-robot --split val --no-reference")
    return week.parts


def main(options: Options) -> int:
    """Walk, write the page, and say how long it took; the exit code."""
    begin = time.monotonic()
    if options.work.exists():
        print(f"{options.work}: exists; remove it first, or give another --work.", file=sys.stderr)
        return 2
    try:
        parts = walk(options)
    except WalkFailed as error:
        print(f"\nfirst week: {error}", file=sys.stderr)
        return 1
    minutes = (time.monotonic() - begin) / 60
    print(f"\nthe first week took {minutes:.1f} minutes")
    if options.page is not None:
        options.page.write_text("\n\n".join(parts) + "\n")
    if options.minutes and minutes > options.minutes:
        print(f"that is more than {options.minutes:g}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options, description=__doc__)))
