"""Encoded images: depth, what lies behind a JPEG's end, and files that are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pixelpush.datasets.images import decode_image, encode_png
from pixelpush.errors import InputError


def depth_png(low, high, channels=1):
    values = np.linspace(low, high, 64 * 64).reshape(64, 64).astype(np.uint16)
    image = values if channels == 1 else np.repeat(values[..., None], 3, axis=-1)
    return cv2.imencode(".png", image)[1].tobytes(), values


@pytest.mark.parametrize(("low", "high"), [(660, 1420), (0, 65535), (0, 255), (500, 900), (1, 2)])
def test_sixteen_bits_are_refused_or_mapped(low, high):
    data, values = depth_png(low, high)
    with pytest.raises(InputError, match=rf"frame 3: .*16 bits.* from {low} to {high}.*--levels"):
        decode_image(data, "frame 3")
    expected = np.rint((values - float(low)) / (high - low) * 255)
    for channels in (1, 3):
        found = decode_image(data, "frame 3", channels, levels=(low, high))
        assert found.shape == (64, 64, channels)
        np.testing.assert_array_equal(found, np.repeat(expected[..., None], channels, axis=-1))


def test_values_beyond_the_levels_are_clipped():
    data, values = depth_png(0, 1000)
    found = decode_image(data, "x", levels=(400, 600))[..., 0]
    assert set(np.unique(found[values <= 400])) == {0}
    assert set(np.unique(found[values >= 600])) == {255}


@pytest.mark.parametrize(
    "trailer",
    [b"\0" * 9, b"\r\n", b"--boundary\r\n", b"\xff\xd9\0camera 3", bytes(range(256)) * 3],
)
@pytest.mark.parametrize(
    "flags", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]]
)
def test_what_cameras_write_behind_a_jpeg(pictures, trailer, flags):
    data = cv2.imencode(".jpg", pictures[0], flags)[1].tobytes()
    np.testing.assert_array_equal(decode_image(data + trailer, "x"), decode_image(data, "x"))


@pytest.mark.parametrize("flags", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_a_truncated_jpeg_is_still_refused(pictures, flags):
    data = cv2.imencode(".jpg", pictures[0], flags)[1].tobytes()
    for cut in range(2, len(data), max(1, len(data) // 60)):
        with pytest.raises(InputError, match=r"x: the JPEG "):
            decode_image(data[:cut], "x")


def test_a_thumbnail_inside_does_not_end_the_jpeg(pictures):
    whole = cv2.imencode(".jpg", pictures[0])[1].tobytes()
    thumbnail = cv2.imencode(".jpg", pictures[1][:16, :16])[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    np.testing.assert_array_equal(
        decode_image(whole[:2] + segment + whole[2:], "x"), decode_image(whole, "x")
    )
    with pytest.raises(InputError, match="truncated"):
        decode_image((whole[:2] + segment + whole[2:])[:-2], "x")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>404", "web page"),
        (b"\n<html>", "web page"),
        (b"\x1f\x8b\x08\0", "gunzip"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"<?xml version='1.0'?><Error>", "XML"),
        (b"GIF89a", "not a PNG, JPEG or WebP"),
    ],
)
def test_files_that_are_no_images(data, what):
    with pytest.raises(InputError, match=f"cam.png: .*{what}"):
        decode_image(data, "cam.png")


def test_png_round_trip(pictures):
    for frame in (pictures[0], pictures[0][..., :1]):
        for compression in (0, 6):
            data = encode_png(frame, compression)
            np.testing.assert_array_equal(decode_image(data, "x", frame.shape[-1]), frame)
