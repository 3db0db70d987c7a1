"""The writing side of TFRecord, for tests that need a file to read."""

from __future__ import annotations

import struct

from pixelpush.datasets.tfrecord import masked_crc32c


def frame_record(data: bytes) -> bytes:
    """The bytes of one record holding ``data``."""
    length = struct.pack("<Q", len(data))
    return (
        length
        + struct.pack("<I", masked_crc32c(length))
        + data
        + struct.pack("<I", masked_crc32c(data))
    )
