"""The command line. To add a command, write one file beside this one and one line in COMMANDS.

A command's file holds a frozen dataclass, whose field docstrings are the help, and a function that
takes it. Options that a package defines (how a run is carried out, how futures are sampled) are
nested in it and not repeated; on the command line they lie flat. The function imports the package
that does the work when it is called, so that ``--help`` answers at once."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

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
from pixelpush.cli.prepare import prepare
from pixelpush.cli.presets import presets
from pixelpush.cli.rollout import rollout
from pixelpush.cli.sample import sample
from pixelpush.cli.speed import speed
from pixelpush.cli.surprise import surprise
from pixelpush.cli.train import train
from pixelpush.errors import PixelPushError
from pixelpush.files import expanded

DESCRIPTION = (
    "Robot-pushing video prediction with an exact likelihood. --version prints the version."
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
# '~', '~user', either with a path behind it, as a whole argument or as the value of an option.
_HOME = re.compile(r"(--[\w-]+=)?(~[\w.-]*(?:/.*)?)", re.DOTALL)
# What to do about some refusals of the operating system.
_HINTS = {
    errno.ENOSPC: "; free some space and run again",
    errno.EDQUOT: "; free some space and run again",
    errno.EFBIG: "; raise the limit on the size of files (ulimit -f)",
    errno.EMFILE: "; raise the limit on open files (ulimit -n)",
    errno.EROFS: "; choose another folder",
    errno.EACCES: "; check its permissions",
    errno.ENAMETOOLONG: "; choose a shorter name",
    errno.ENOTDIR: "; a part of the path is a file",
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
    arguments = [_at_home(word) for word in arguments]
    if list(arguments[:1]) == ["prepare"] and len(arguments) > 1:
        from pixelpush.cli.sources import sources, with_source

        _carry_out(sources(), with_source(arguments[1:]), "pixelpush prepare")
    else:
        _carry_out(COMMANDS, arguments, "pixelpush")


def _carry_out(
    commands: Mapping[str, Callable[..., None]], arguments: Sequence[str], program: str
) -> None:
    # Nested options keep their own names: --workers and not --options.how.workers.
    tyro.extras.subcommand_cli_from_dict(
        dict(commands),
        prog=program,
        description=DESCRIPTION,
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes,),
    )


def _at_home(word: str) -> str:
    """Replace a ~ that begins an argument, or its value after '='.

    Shells leave ``--out=~/films`` and the home of an unknown user as they are, and a folder of that
    name would be made."""
    found = _HOME.fullmatch(word)
    return word if found is None else f"{found[1] or ''}{expanded(found[2])}"


class _Terminated(BaseException):
    """SIGTERM came: like Ctrl-C, it unwinds, so that nothing half-written stays."""


def _terminate(*_: object) -> None:
    raise _Terminated


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``pixelpush``. A command that ends early prints one line on stderr.

    Exit code 2; 130 for Ctrl-C, 143 for SIGTERM. OSError, MemoryError and RecursionError are caught
    here alone. Code that knows more about their cause raises an InputError.

    Example:
        >>> main(["--version"])
        pixelpush ...
    """
    if sys.platform == "win32":
        print("pixelpush: runs on Linux and macOS; on Windows use WSL.", file=sys.stderr)
        sys.exit(2)
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
    except (OSError, MemoryError, RecursionError, ImportError) as error:
        _end_with_reason(error)


def _end_with_reason(error: Exception) -> NoReturn:
    """Print one line about an error of the machine and exit. A missing package is a fault of the
    installation: its ImportError is raised again."""
    # A library that cannot be loaded because files cannot be opened says so in its message.
    if isinstance(error, ImportError) and "oo many open files" not in str(error):
        raise error
    print(f"pixelpush: {_reason(error)}", file=sys.stderr)
    sys.exit(2)


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; use a smaller --batch-size, or a machine with more."
    if isinstance(error, RecursionError):
        return "something in the input is nested too deeply to be read."
    if isinstance(error, ImportError):
        return f"{str(error).splitlines()[0]}; raise the limit (ulimit -n)."
    assert isinstance(error, OSError)
    return _refusal(error)


def _refusal(error: OSError) -> str:
    """What the operating system refused, where, and what to do about it."""
    where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
    what = error.strerror or str(error).splitlines()[0] if str(error) else type(error).__name__
    hint = _HINTS.get(error.errno or 0, "")
    return f"{where}: {what}{hint}." if where else f"{what}{hint}."
