"""More variants of the kinds of trouble that test_cases.py has a reported one of."""

from __future__ import annotations

import struct
import subprocess
import zipfile

import cv2
import numpy as np
import pytest

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.datasets.store import EpisodeStore
from pixelpush.datasets.video import ffmpeg_program
from pixelpush.errors import InputError

COUNT = 4
TABLE = "time,state_x,action_x\n" + "".join(f"{t / 10},{t},{t + 1}\n" for t in range(COUNT))


@pytest.fixture
def frames(pictures):
    return np.ascontiguousarray(pictures[:COUNT])


def write_run(folder, frames, ending=".png", encode=lambda data: data):
    (folder / "camera").mkdir(parents=True)
    for number, frame in enumerate(frames):
        data = cv2.imencode(ending, frame[..., ::-1])[1].tobytes()
        (folder / "camera" / f"f_{number}{ending}").write_bytes(encode(data))
    (folder / "robot.csv").write_text(TABLE)
    return folder


def as_stored(frames):
    return frames.transpose(0, 3, 1, 2)


def refused(path, message, **options):
    with pytest.raises(InputError, match=message) as caught:
        read_episode(path, Options(**options))
    assert "\n" not in str(caught.value)


# --- arrays of other kinds
# --------------------------------------------------------------------------------------------------

SCALED = {
    "float32 to 1": lambda f: (f / 255).astype(np.float32),
    "float64 to 1": lambda f: f / 255,
    "float16 to 1": lambda f: (f / 255).astype(np.float16),
    "-1 to 1": lambda f: (f / 127.5 - 1).astype(np.float32),
    "fractions of levels": lambda f: np.minimum(f + 0.25, 254.5),
    "beyond 255": lambda f: f.astype(np.int32) + 100,
}


@pytest.mark.parametrize("kind", SCALED)
def test_levels_of_another_scale_are_refused_with_what_to_do(tmp_path, frames, kind):
    rows = np.zeros((COUNT, 2))
    np.savez(tmp_path / "a.npz", frames=SCALED[kind](frames), states=rows, actions=rows)
    refused(tmp_path / "a.npz", r"a\.npz: array 'frames': .*values from .* to .* 255")
    how = r"save \(255 \* array\)\.round\(\)\.astype\(uint8\)\."
    if kind.endswith(" to 1") and kind[0] == "f":
        refused(tmp_path / "a.npz", how)


COLOURS_FIRST = {
    "uint8": lambda f: as_stored(f),
    "float32 levels": lambda f: as_stored(f).astype(np.float32),
    "grey": lambda f: as_stored(f)[:, :1],
    "wide": lambda f: as_stored(f)[..., :48, :],
    "int64": lambda f: as_stored(f).astype(np.int64),
}


@pytest.mark.parametrize("kind", COLOURS_FIRST)
def test_colours_before_rows_are_refused_with_what_to_do(tmp_path, frames, kind):
    array = COLOURS_FIRST[kind](frames)
    rows = np.zeros((COUNT, 2))
    np.savez(tmp_path / "a.npz", frames=array, states=rows, actions=rows)
    advice = r"a\.npz: array 'frames': .*save it after array\.transpose\(0, 2, 3, 1\)\."
    refused(tmp_path / "a.npz", advice)
    mended = {"frames": array.transpose(0, 2, 3, 1), "states": rows, "actions": rows}
    np.savez(tmp_path / "b.npz", **mended)
    assert len(read_episode(tmp_path / "b.npz", Options(crop="none")).frames) == COUNT


@pytest.mark.parametrize(
    ("lacking", "advice"),
    [
        ("frames", r"--frames-key from states, actions\."),
        ("states", r"--states-key from frames, actions, or give --states none\."),
        ("actions", r"--actions-key from frames, states, or give --actions none\."),
    ],
)
def test_an_array_that_is_not_there_is_named_with_its_option(tmp_path, frames, lacking, advice):
    arrays = {"frames": frames, "states": np.zeros((COUNT, 1)), "actions": np.zeros((COUNT, 1))}
    np.savez(tmp_path / "a.npz", **{k: v for k, v in arrays.items() if k != lacking})
    refused(tmp_path / "a.npz", rf"a\.npz: no array '{lacking}'; choose by {advice}")


def test_an_array_of_another_name_is_proposed(tmp_path, frames):
    run = write_run(tmp_path / "run", frames)
    for path in (run / "camera").iterdir():
        path.unlink()
    np.save(run / "color_images.npy", frames)
    refused(run, r"run: no frames by a usual name; .*color_images\.npy.*--frames-key\.")
    found = read_episode(run, Options(frames_key="color_images.npy"))
    np.testing.assert_array_equal(found.frames, as_stored(frames))


# --- turned pictures
# --------------------------------------------------------------------------------------------------


def turned(orientation):
    """Puts an EXIF orientation into a JPEG, as telephones and some cameras do."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return lambda data: data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


@pytest.mark.parametrize("orientation", [2, 3, 5, 6, 8])
def test_frames_are_not_turned_by_their_tags(tmp_path, frames, orientation):
    plain = read_episode(write_run(tmp_path / "plain", frames, ".jpg"), Options())
    tagged = write_run(tmp_path / "tagged", frames, ".jpg", turned(orientation))
    picture = (tagged / "camera" / "f_0.jpg").read_bytes()
    seen = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert not np.array_equal(seen[..., ::-1].transpose(2, 0, 1), plain.frames[0])
    np.testing.assert_array_equal(read_episode(tagged, Options()).frames, plain.frames)


# --- what programs leave beside the files
# --------------------------------------------------------------------------------------------------

LEFT = {
    "macOS, a folder inside": ("run/", ["__MACOSX/run/._robot.csv", "__MACOSX/run/._f_0.png"]),
    "macOS, no folder": ("", ["__MACOSX/._robot.csv", ".DS_Store"]),
    "macOS, no __MACOSX": ("run/", ["run/._robot.csv", "run/camera/._f_0.png"]),
    "Windows": ("run/", ["run/camera/Thumbs.db", "run/desktop.ini"]),
    "Synology": ("run/", ["run/@eaDir/robot.csv", "run/camera/@eaDir/f_0.png"]),
}


@pytest.mark.parametrize("kind", LEFT)
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_what_programs_leave_is_passed_over(tmp_path, frames, kind, form):
    prefix, left = LEFT[kind]
    run = write_run(tmp_path / "run", frames)
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in run.rglob("*.*"):
            packed.write(path, prefix + path.relative_to(run).as_posix())
        for name in left:
            packed.writestr(name, b"Mac OS X")
    if form == "folder":
        zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
        archive = tmp_path / "unpacked"
    np.testing.assert_array_equal(read_episode(archive, Options()).frames, as_stored(frames))


# --- videos of more than 8 bits
# --------------------------------------------------------------------------------------------------

DEEP = {
    "H.265, 10 bits, mp4": ("a.mp4", "libx265", "yuv420p10le", ("-x265-params", "log-level=none")),
    "H.265, 12 bits, mkv": ("a.mkv", "libx265", "yuv422p12le", ("-x265-params", "log-level=none")),
    "H.264, 10 bits, mkv": ("a.mkv", "libx264", "yuv420p10le", ("-crf", "2")),
    "ProRes, 10 bits, mov": ("a.mov", "prores_ks", "yuv422p10le", ()),
    "VP9, 10 bits, webm": ("a.webm", "libvpx-vp9", "yuv420p10le", ("-crf", "4", "-b:v", "0")),
    "AV1, 10 bits, mp4": ("a.mp4", "libsvtav1", "yuv420p10le", ("-preset", "10", "-g", "1")),
}


@pytest.mark.parametrize("kind", DEEP)
def test_videos_of_more_than_8_bits(tmp_path, kind):
    name, codec, pixels, more = DEEP[kind]
    levels = 40 + 20 * np.arange(COUNT)
    shown = np.broadcast_to(levels[:, None, None, None], (COUNT, 64, 64, 3)).astype(np.uint8)
    command = [ffmpeg_program(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", "64x64", "-r", "10", "-i", "-", "-c:v", codec, "-pix_fmt", pixels, *more]
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / name
    subprocess.run([*command, path], input=shown.tobytes(), check=True, capture_output=True)
    (tmp_path / "run" / "robot.csv").write_text(TABLE)
    found = read_episode(tmp_path / "run", Options(size=32)).frames.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found, levels, atol=3)


# --- what is said
# --------------------------------------------------------------------------------------------------


def test_another_rate_is_not_cut(tmp_path, frames):
    """Frames at a third of the table's rate: --trim would pair each with a wrong row."""
    run = write_run(tmp_path / "run", frames)
    lines = [f"{t / 30},{t},{t + 1}" for t in range(3 * COUNT)]
    (run / "robot.csv").write_text("\n".join(["time,state_x,action_x", *lines]) + "\n")
    refused(run, r"4 frames but 12 rows .*as many\. Join them by --join time\.$")
    lines = [f"{t},{t + 1}" for t in range(3 * COUNT)]
    (run / "robot.csv").write_text("\n".join(["state_x,action_x", *lines]) + "\n")
    refused(run, r"4 frames but 12 rows .*A column of times")


def test_one_episode_is_said_in_the_singular(tmp_path, frames, capsys):
    write_run(tmp_path / "raw" / "run", frames)
    assert recognise(tmp_path / "raw")[1] == "a folder of 1 episode of its own layout"
    prepare("folder", tmp_path / "raw", tmp_path / "store")
    said = capsys.readouterr()
    assert said.err.startswith("1 episode: no validation split")
    assert "store: 1 episode, 4 frames" in said.out
    assert EpisodeStore(tmp_path / "store", "train")[0].id == "run"


def test_an_episode_with_other_columns_is_named_in_words(tmp_path, frames):
    write_run(tmp_path / "raw" / "run0", frames)
    write_run(tmp_path / "raw" / "run1", frames)
    text = "state_x,state_y,action_x\n" + "1,2,3\n" * COUNT
    (tmp_path / "raw" / "run1" / "robot.csv").write_text(text)
    with pytest.raises(InputError, match="run1") as caught:
        prepare("folder", tmp_path / "raw", tmp_path / "store", split="2/0/0")
    assert "frames 3x64x64, state 2, action 1, but the episodes before" in str(caught.value)
    assert "Schema" not in str(caught.value)
