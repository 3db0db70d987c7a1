"""The command line: assembles every room's commands. Light until a command runs, so that --help
answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tyro

from pixelpush.doctor import doctor
from pixelpush.errors import InputError
from pixelpush.eval import commands as evaluation
from pixelpush.eval import image_commands as images
from pixelpush.eval.speed_command import speed
from pixelpush.eval.train_command import train
from pixelpush.inspect_command import inspect
from pixelpush.prepare_command import prepare, sources, with_source

DESCRIPTION = "Robot-pushing video prediction with an exact likelihood."
COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": evaluation.demo,
    "train": train,
    "nll": evaluation.nll,
    "rollout": evaluation.rollout,
    "sample": images.sample,
    "speed": speed,
    "doctor": doctor,
    "inspect": inspect,
    "prepare": prepare,
}


def run(arguments: Sequence[str]) -> None:
    """Carry out one command line; raises InputError for a user's mistake."""
    commands, program, rest = COMMANDS, "pixelpush", arguments
    if list(arguments[:1]) == ["prepare"] and len(arguments) > 1:
        commands, program, rest = sources(), "pixelpush prepare", with_source(arguments[1:])
    tyro.extras.subcommand_cli_from_dict(
        commands,
        prog=program,
        description=DESCRIPTION,
        args=rest,
        config=(tyro.conf.OmitArgPrefixes,),
    )


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
