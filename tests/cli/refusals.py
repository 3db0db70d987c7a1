"""Carry out commands under limits, as another user, without a home, each in a forked child. A
script: it reads a JSON list of trials and prints (status, what was said on stderr), a line each.

A trial: words of the command; limits, by the names of the resource module; uid; environment, null
for a variable that is taken away; doomed, a folder that is removed once it holds a save."""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pixelpush import cli

# Imported once, before the forks; none of them starts a thread.
USED = (
    "array_record.python.array_record_module",
    "lightning_fabric",
    "tensorflow_datasets",
    "pixelpush.datasets.prepare",
    "pixelpush.eval.likelihood.run",
    "pixelpush.eval.rollout.run",
    "pixelpush.training.commands",
)


def carry_out(trial: dict[str, Any]) -> None:
    """In the child: put the limits on, and run."""
    for name, value in trial.get("environment", {}).items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    if "uid" in trial:
        os.setgid(trial["uid"])
        os.setuid(trial["uid"])
    for name, value in trial.get("limits", {}).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    cli.main(trial["words"])


def remove_once_saved(folder: Path, child: int) -> None:
    """Wait for the first whole save under ``folder`` and take everything away."""
    while not list(folder.glob("checkpoints/*/COMPLETE")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.01)
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def tried(trial: dict[str, Any]) -> tuple[int, str]:
    """The status, negative for a signal, and stderr of one trial."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            status = 1
            try:
                carry_out(trial)
                status = 0
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 1
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(status)
        if "doomed" in trial:
            remove_once_saved(Path(trial["doomed"]), child)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return status, said.read().decode(errors="replace")


def main() -> None:
    for name in USED:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    for trial in json.load(sys.stdin):
        print(json.dumps(tried(trial)), flush=True)


if __name__ == "__main__":
    main()
