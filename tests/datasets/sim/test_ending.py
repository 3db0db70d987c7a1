"""Whatever ends the making of a simulated bin leaves no process and no unfinished file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pixelpush.datasets.sim import workers
from pixelpush.datasets.sim.opening import open_sim
from pixelpush.datasets.sim.prepare import store_path
from pixelpush.errors import InputError


def _wait_until(true, seconds=300):  # long: a busy machine is no failure
    deadline = time.monotonic() + seconds
    while not true():  # once is enough: a file may be renamed the moment after
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _workers_of(folder):
    """Command lines of the processes that work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes()
            if b"sim.workers" in line and str(folder).encode() in line:
                found.append(line)
    return found


def _ended(root, count, send, number):
    """Prepare with so many workers, and end it when each has begun a shard: (exit code, lines on
    stderr, seconds that the end took)."""
    program = (
        "from pixelpush.cli import main; main(['prepare', 'sim', '--episodes', '640', '--root', "
        f"{str(root)!r}, '--workers', '{count}'])"
    )
    working = _working(root)
    with subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _wait_until(lambda: working.is_dir() and len(list(working.glob(".*partial*"))) == count)
            sent = time.monotonic()
            send(process.pid, number)
            _, words = process.communicate(timeout=60)
            seconds = time.monotonic() - sent
        finally:
            process.kill()
    return process.returncode, words.splitlines(), seconds


def _working(root):
    return root / "sim" / "64" / ".train.640.working"


@pytest.mark.parametrize(
    ("count", "send", "number", "code", "last"),
    [
        (1, os.kill, signal.SIGINT, 130, "interrupted"),
        (2, os.killpg, signal.SIGINT, 130, "interrupted"),
        (1, os.kill, signal.SIGTERM, 143, "terminated"),
        (2, os.kill, signal.SIGTERM, 143, "terminated"),
        (2, os.killpg, signal.SIGTERM, 143, "terminated"),
    ],
)
def test_ending_it_leaves_nothing(tmp_path, count, send, number, code, last):
    """Ctrl-C or SIGTERM to the parent alone or, as a terminal does, to the whole group: no process
    and no partial file stays."""
    returned, lines, _ = _ended(tmp_path, count, send, number)
    assert returned == code
    assert lines[-1] == f"pixelpush: {last}."
    assert not any("Traceback" in line for line in lines)
    assert _workers_of(tmp_path) == []
    assert list(_working(tmp_path).glob(".*partial*")) == []
    assert not store_path("sim", "train", 64, tmp_path).exists()


@pytest.mark.slow  # by the clock: on an overloaded machine it may fail
@pytest.mark.parametrize(("count", "send"), [(1, os.kill), (2, os.kill), (2, os.killpg)])
def test_ctrl_c_ends_it_within_two_seconds(tmp_path, count, send):
    returned, _, seconds = _ended(tmp_path, count, send, signal.SIGINT)
    assert returned == 130
    assert _workers_of(tmp_path) == []
    assert list(_working(tmp_path).glob(".*partial*")) == []
    assert seconds < 2


# An episode's maker that nothing but SIGKILL ends for a minute.
_DEAF = """
import signal, time
from pathlib import Path
def make(laboratory, split, number, size):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    here = Path(__file__).parent
    (here / f"deaf-{number}").touch()
    time.sleep(60)
    (here / "woke").touch()
"""


def test_ctrl_c_kills_workers_that_do_not_end(tmp_path, monkeypatch):
    """Whatever they are at, they are killed, and their files removed."""
    (tmp_path / "deaf.py").write_text(_DEAF)
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "working"
    folder.mkdir()
    job = workers.Job(str(folder), "sim", "val", 64, episodes=2, per_shard=1, maker="deaf:make")
    begun: list[bool] = []

    def interrupt():
        _wait_until(lambda: len(list(tmp_path.glob("deaf-*"))) == 2)
        begun.append(len(list(folder.glob(".*partial*"))) == 2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        workers.make_shards(job, [0, 1], 2, lambda: None)
    thread.join()
    assert begun == [True]
    assert not (tmp_path / "woke").exists()
    assert _workers_of(folder) == []
    assert list(folder.iterdir()) == []


def test_killed_while_working_then_run_again(tmp_path, small_root, assert_same):
    """kill -9 of a real run with workers; the second run ends with the same episodes."""
    code = (
        f"from pixelpush.datasets.sim.opening import open_sim; open_sim('sim', 'val', episodes=40, "
        f"root={str(tmp_path)!r}, workers=2)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    working = tmp_path / "sim" / "64" / ".val.40.working"
    _wait_until(lambda: working.is_dir() and list(working.glob(".*partial*")))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not store_path("sim", "val", 64, tmp_path).exists()
    again = open_sim("sim", "val", episodes=2, root=tmp_path)
    assert_same(again[1], open_sim("sim", "val", episodes=2, root=small_root)[1])


def test_a_workers_error_is_told(tmp_path):
    job = workers.Job(str(tmp_path / "absent" / "deeper"), "sim", "nonsense", 64, 64, 32)
    with pytest.raises(InputError, match="no split 'nonsense'"):
        workers.make_shards(job, [0, 1], 2, lambda: None)
