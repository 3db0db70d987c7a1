"""The command line. To add a command, write one file beside this one and one line in COMMANDS.

A command's file holds a frozen dataclass, whose field docstrings are the help, and a function that
takes it. Options that a package defines (how a run is carried out, how futures are sampled) are
nested in it and not repeated; on the command line they lie flat. The function imports the package
that does the work when it is called, so that ``--help`` answers at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

import tyro

from pixelpush import __version__
from pixelpush.cli.compress import compress
from pixelpush.cli.curves import curves
from pixelpush.cli.decompress import decompress
from pixelpush.cli.demo import demo
from pixelpush.cli.doctor import doctor
from pixelpush.cli.drive import drive
from pixelpush.cli.export import export
from pixelpush.cli.inspect import inspect
from pixelpush.cli.listen import listen
from pixelpush.cli.nll import nll
from pixelpush.cli.plan import plan
from pixelpush.cli.prepare import prepare, sources, with_source
from pixelpush.cli.presets import presets
from pixelpush.cli.rollout import rollout
from pixelpush.cli.sample import sample
from pixelpush.cli.speed import speed
from pixelpush.cli.surprise import surprise
from pixelpush.cli.train import train
from pixelpush.errors import PixelPushError

DESCRIPTION = (
    "Robot-pushing video prediction with an exact likelihood. 'pixelpush --version' says which."
)
# The one list of commands, in the order of the help.
COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "presets": presets,
    "train": train,
    "curves": curves,
    "nll": nll,
    "rollout": rollout,
    "sample": sample,
    "export": export,
    "drive": drive,
    "plan": plan,
    "listen": listen,
    "surprise": surprise,
    "compress": compress,
    "decompress": decompress,
    "speed": speed,
    "doctor": doctor,
    "inspect": inspect,
    "prepare": prepare,
}


def run(arguments: Sequence[str]) -> None:
    """Carry out one command line. Raises InputError for a user's mistake.

    >>> run(["nll"])
    Traceback (most recent call last):
    pixelpush.errors.InputError: give one model with --model, or several with --models.
    """
    if list(arguments) == ["--version"]:
        print(f"pixelpush {__version__}")
        return
    commands = COMMANDS
    program = "pixelpush"
    rest = arguments
    if list(arguments[:1]) == ["prepare"] and len(arguments) > 1:
        commands = sources()
        program = "pixelpush prepare"
        rest = with_source(arguments[1:])
    # Nested options keep their own names: --workers and not --options.how.workers.
    tyro.extras.subcommand_cli_from_dict(
        commands,
        prog=program,
        description=DESCRIPTION,
        args=rest,
        config=(tyro.conf.OmitArgPrefixes,),
    )


class _Terminated(BaseException):
    """SIGTERM came: like Ctrl-C, it unwinds, so that nothing half-written stays."""


def _terminate(*_: object) -> None:
    raise _Terminated


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``pixelpush``: a user's mistake is one line on stderr and exit code 2."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    try:
        run(sys.argv[1:] if arguments is None else list(arguments))
    except PixelPushError as error:
        print(f"pixelpush: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stop:
        what_is_left = f": {stop}" if str(stop) else "."
        print(f"pixelpush: interrupted{what_is_left}", file=sys.stderr)
        sys.exit(130)
    except _Terminated:
        print("pixelpush: terminated.", file=sys.stderr)
        sys.exit(143)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
