"""Nothing is ever half written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading

import pytest

from pixelpush.errors import InputError
from pixelpush.files import (
    MARKER,
    atomic_file,
    atomic_folder,
    is_complete,
    leftovers,
    read_json,
    read_json_object,
    write_json,
)


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"value": 1})

    def write_half():
        with atomic_file(path) as partial:
            partial.write_text("half")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write_half()
    assert read_json(path) == {"value": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(InputError, match="disk is full") as caught:
        write_json(tmp_path / "a.json", 1)
    assert "\n" not in str(caught.value)
    with (
        pytest.raises(InputError, match="disk is full"),
        atomic_folder(tmp_path / "folder") as partial,
    ):
        (partial / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_whole_with_its_marker_or_not_at_all(tmp_path):
    def interrupted():
        with atomic_folder(tmp_path / "folder") as partial:
            (partial / "x").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(tmp_path / "folder") as partial:
        (partial / "x").write_text("x")
        assert not is_complete(partial)
    assert is_complete(tmp_path / "folder")
    assert {p.name for p in (tmp_path / "folder").iterdir()} == {"x", MARKER}


def test_json_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"value": float("nan")})
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "a.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not valid JSON"):
        read_json(tmp_path / "b.json")


def test_a_device_gets_the_bytes_and_stays():
    write_json("/dev/null", {"value": 1})
    assert not os.path.isfile("/dev/null")
    assert os.path.exists("/dev/null")


def test_a_pipe_gets_the_bytes_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    with atomic_file(pipe) as partial:
        partial.write_text("whole")
    reader.join()
    assert found == ["whole"]
    assert pipe.is_fifo()


def test_a_full_device_is_one_clear_line():
    with pytest.raises(InputError, match="disk is full"):
        write_json("/dev/full", 1)


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "a.json"
    link = tmp_path / "link.json"
    link.symlink_to(target)
    for value in (1, 2):  # first to a file that is not there yet
        write_json(link, value)
        assert link.is_symlink()
        assert read_json(target) == value
    assert list((tmp_path / "there").iterdir()) == [target]


def test_a_folder_is_refused_as_a_file(tmp_path):
    with pytest.raises(InputError, match="is a folder; give a file name"):
        write_json(tmp_path, 1)


def test_a_long_name_has_room_for_its_partial(tmp_path):
    path = tmp_path / ("x" * 250 + ".json")
    write_json(path, 1)
    assert read_json(path) == 1


KILLED = """
import os, sys
from pathlib import Path
from pixelpush.files import atomic_file, atomic_folder
with atomic_file(Path(sys.argv[1]) / "a.json") as file, atomic_folder(sys.argv[1] + "/b") as folder:
    file.write_text("half")
    (folder / "x").write_text("half")
    print("writing", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
"""


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_else(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    write_json(tmp_path / "a.json", 1)  # while the other still writes
    assert leftovers(tmp_path) == []
    assert len([path for path in tmp_path.iterdir() if "partial" in path.name]) == 2
    writer.communicate("\n")
    assert [path.name.split(".")[1] for path in leftovers(tmp_path)] == ["a", "b"]
    write_json(tmp_path / "other.json", 1)
    assert len(leftovers(tmp_path)) == 2
    write_json(tmp_path / "a.json", 2)
    with atomic_folder(tmp_path / "b"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b", "other.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": -Infinity}', "no number of JSON"),
        ("[1, 2]", "holds a list, not an object"),
        ("3", "holds a int, not an object"),
    ],
)
def test_damaged_json_is_one_clear_line(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_json_object(tmp_path / "a.json")


def test_a_huge_json_file_is_refused_unread(tmp_path):
    with (tmp_path / "a.json").open("w") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="at most"):
        read_json(tmp_path / "a.json")
