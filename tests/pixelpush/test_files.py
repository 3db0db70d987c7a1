"""Nothing is ever half written."""

from __future__ import annotations

import errno
import os

import pytest

from pixelpush.errors import InputError
from pixelpush.files import MARKER, atomic_file, atomic_folder, is_complete, read_json, write_json


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
