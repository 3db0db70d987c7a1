"""The command line: assembles every room's commands. Light until a command runs, so that --help
answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tyro

from pixelpush.datasets import commands as data
from pixelpush.datasets.sim import commands as sim
from pixelpush.doctor import doctor
from pixelpush.errors import InputError
from pixelpush.eval import commands as evaluation
from pixelpush.eval import image_commands as images
from pixelpush.eval.speed_command import speed
from pixelpush.eval.train_command import train

DESCRIPTION = "Robot-pushing video prediction with an exact likelihood."
COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": evaluation.demo,
    "train": train,
    "nll": evaluation.nll,
    "rollout": evaluation.rollout,
    "sample": images.sample,
    "speed": speed,
    "doctor": doctor,
}
PREPARE: dict[str, Callable[..., Any]] = {
    "sim": sim.prepare_sim,
    "sim-diverse": sim.prepare_sim_diverse,
    "sim-cameras": sim.prepare_sim_cameras,
    "google-push": data.prepare_google_push,
    "bair": data.prepare_bair,
    "folder": data.prepare_folder,
    "moving-mnist": data.prepare_moving_mnist,
}


def prepare() -> None:
    """Turn recordings, or the simulator, into a data set: pixelpush prepare
    {sim,google-push,bair,folder,...}."""
    raise InputError(f"name what to prepare: pixelpush prepare {{{','.join(PREPARE)}}} --help.")


def run(arguments: Sequence[str]) -> None:
    """Carry out one command line; raises InputError for a user's mistake."""
    if arguments and arguments[0] == "prepare" and len(arguments) > 1:
        commands, program, rest = PREPARE, "pixelpush prepare", arguments[1:]
    else:
        commands, program, rest = {**COMMANDS, "prepare": prepare}, "pixelpush", arguments
    tyro.extras.subcommand_cli_from_dict(commands, prog=program, description=DESCRIPTION, args=rest)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``pixelpush``: a user's mistake is one line on stderr and exit code 2."""
    try:
        run(sys.argv[1:] if arguments is None else arguments)
    except InputError as error:
        print(f"pixelpush: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("pixelpush: interrupted.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
