"""Videos: every container, 8 and 10 bits, parts of them, and what is no video."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from pixelpush.datasets.video import (
    Span,
    ffmpeg_program,
    frame_times,
    read_video,
    read_video_file,
)
from pixelpush.errors import InputError


def numbered(count, size=32):
    """Frames whose brightness tells their number, so that order and place can be read off."""
    return np.stack([np.full((size, size, 3), 20 + 2 * n, np.uint8) for n in range(count)])


def write(path, frames, codec, fps=10, extra=()):
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    command = [ffmpeg_program(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", size, "-r", str(fps), "-i", "-", "-c:v", codec, *extra, str(path)]
    done = subprocess.run(command, input=frames.tobytes(), capture_output=True)
    if done.returncode:
        pytest.skip(f"this ffmpeg does not write {codec}")
    return path


LOSSLESS = ("-crf", "0", "-pix_fmt", "yuv444p")
KINDS = [
    ("a.mp4", "libx264", LOSSLESS),
    ("a.m4v", "libx264", ("-f", "mp4", "-crf", "4")),
    ("a.mov", "libx264", ("-crf", "4", "-pix_fmt", "yuv420p")),
    ("a.mkv", "libx264", ("-crf", "4", "-pix_fmt", "yuv420p10le")),
    ("a.webm", "libvpx-vp9", ("-crf", "4", "-b:v", "0", "-cpu-used", "8")),
    ("a.avi", "mpeg4", ("-q:v", "1")),
    ("b.mp4", "libx265", ("-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none:crf=4")),
    ("c.mp4", "mpeg4", ("-q:v", "1")),
    ("d.mp4", "libsvtav1", ("-crf", "4", "-preset", "10")),
    ("e.mov", "prores_ks", ()),
]


@pytest.mark.parametrize(("name", "codec", "extra"), KINDS, ids=lambda value: str(value)[:12])
def test_kinds(tmp_path, name, codec, extra):
    frames = numbered(12, 64)
    path = write(tmp_path / name, frames, codec, extra=extra)
    found = np.stack(list(read_video_file(path, name)))
    assert found.shape == frames.shape
    assert np.abs(found.mean(axis=(1, 2, 3)) - frames.mean(axis=(1, 2, 3))).max() < 1.5
    again = np.stack(list(read_video(path.read_bytes(), f"archive.zip/{name}")))
    np.testing.assert_array_equal(again, found)
    np.testing.assert_allclose(frame_times(path, name), np.arange(12) / 10, atol=2e-3)


def test_parts_of_a_video_are_exact(tmp_path):
    """Several episodes lie in one file; each gets its own frames, whatever key frames there are."""
    frames = numbered(100)
    path = write(
        tmp_path / "a.mp4", frames, "libx264", fps=30, extra=(*LOSSLESS, "-g", "17", "-bf", "2")
    )
    whole = np.stack(list(read_video_file(path, "a.mp4")))
    for start, count in ((0, 100), (0, 1), (1, 5), (17, 17), (33, 40), (99, 1)):
        part = list(read_video_file(path, "a.mp4", Span(start / 30, count, 30)))
        np.testing.assert_array_equal(np.stack(part), whole[start : start + count])
    with pytest.raises(InputError, match=r"a\.mp4: 10 frames from 3\.000 s on, 11 are needed"):
        list(read_video_file(path, "a.mp4", Span(3.0, 11, 30)))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"<html>no such video", "web page"),
        (b"", "does not decode"),
        (b"\0\0\0\x18ftypmp42", "does not decode"),
    ],
)
def test_what_is_no_video(tmp_path, data, what):
    (tmp_path / "cam.mp4").write_bytes(data)
    with pytest.raises(InputError, match=f"run/cam.mp4.*{what}") as caught:
        list(read_video_file(tmp_path / "cam.mp4", "run/cam.mp4"))
    assert "0x" not in str(caught.value)  # no address of ffmpeg's memory
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("program", ["/nowhere/ffmpeg", "/bin/false", "/etc/hostname"])
def test_an_ffmpeg_that_is_not_there(tmp_path, monkeypatch, program):
    path = write(tmp_path / "a.mp4", numbered(3), "libx264")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", program)
    with pytest.raises(InputError, match=r"no ffmpeg .*IMAGEIO_FFMPEG_EXE"):
        list(read_video_file(path, "a.mp4"))
