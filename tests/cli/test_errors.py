"""Whatever the machine refuses is one line on stderr and exit code 2."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixelpush import cli


def failing(error: BaseException):
    def run(arguments: object) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EROFS, "Read-only file system", "/a"), "/a: Read-only file system; choose"),
        (
            OSError(errno.EMFILE, "Too many open files"),
            "Too many open files; raise the limit",
        ),
        (OSError(errno.EFBIG, "File too large", "b"), "b: File too large; raise the limit on the"),
        (FileNotFoundError(errno.ENOENT, "No such file", "run/x"), "run/x: No such file."),
        (OSError("no details"), "no details."),
        (OSError(), "OSError."),
        (MemoryError(), "out of memory"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (ImportError("libx.so: Too many open files"), "raise the limit (ulimit -n)."),
    ],
)
def test_errors_of_the_machine_are_one_line(error, line, monkeypatch, capsys):
    monkeypatch.setattr(cli, "run", failing(error))
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.startswith("pixelpush: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [ImportError("No module named 'x'"), ValueError("a fault")])
def test_faults_of_the_program_keep_their_traceback(error, monkeypatch):
    monkeypatch.setattr(cli, "run", failing(error))
    with pytest.raises(type(error)):
        cli.main(["demo"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["inspect", "sim", "--out", "FILE/below"], "FILE"),
        (["inspect", "~nosuchuser/data"], "no such user's home folder"),
        (["inspect", "x" * 300], "name"),
        (["doctor", "FILE/run"], "fault"),
        (["prepare", "sim", "--workers", "100000"], "workers must be 1 to 1024"),
        (
            ["train", "push-ot-small", "--data", "sim", "--run", "r", "--workers", "100000"],
            "workers must be at most 1024",
        ),
    ],
)
def test_what_cannot_be_is_one_line(arguments, line, tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "file"))  # a data root that is a file
    with pytest.raises(SystemExit) as ended:
        cli.main([argument.replace("FILE", str(tmp_path / "file")) for argument in arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert line.replace("FILE", str(tmp_path / "file")) in said[0]
    assert os.listdir(tmp_path) == ["file"]


def test_windows_is_told_to_use_wsl():
    """There is no fcntl there, so the command must load without it to say so."""
    code = """
import sys
sys.modules["fcntl"] = None
sys.platform = "win32"
from pixelpush.cli import main
main(["--version"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "pixelpush: runs on Linux and macOS; on Windows use WSL.\n"
