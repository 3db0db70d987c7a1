"""TFRecord framing: every checksum, and what damage costs."""

from __future__ import annotations

import struct

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tfrecord_writer import frame_record

from pixelpush.datasets.tfrecord import DamageLog, masked_crc32c, read_records
from pixelpush.errors import InputError

DATA = [b"first record", b"second" * 50, b"", b"fourth \x00\xff", b"fifth" * 9]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.tfrecord"
    path.write_bytes(b"".join(map(frame_record, DATA)))
    return path


def read(path, limit=10):
    log = DamageLog(limit, report=lambda line: None)
    return [record.data for record in read_records(path, log)], log


def crc32c_bitwise(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@given(st.binary(max_size=200))
def test_checksum_against_the_definition(data):
    crc = crc32c_bitwise(data)
    assert google_crc32c.value(data) == crc
    assert masked_crc32c(data) == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def test_check_value_of_the_standard():
    assert google_crc32c.value(b"123456789") == 0xE3069283  # RFC 3720, appendix B.4


def test_intact_file(path):
    records, log = read(path, limit=0)
    assert records == DATA
    assert log.found == []


def offsets():
    at, out = 0, []
    for data in DATA:
        out.append(at)
        at += len(data) + 16
    return out


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("part", ["length", "length checksum", "data", "data checksum"])
def test_one_flipped_bit_costs_one_record(path, number, part):
    if part == "data" and not DATA[number]:
        return
    start = offsets()[number]
    place = {
        "length": 0,
        "length checksum": 9,
        "data": 12,
        "data checksum": 12 + len(DATA[number]),
    }[part]
    data = bytearray(path.read_bytes())
    data[start + place] ^= 4
    path.write_bytes(data)
    records, log = read(path)
    # After a damaged length the reader searches for the next record; an empty one is not told from
    # noise.
    lost = {number} | ({2} if number == 1 and part.startswith("length") else set())
    assert records == [record for i, record in enumerate(DATA) if i not in lost]
    (damage,) = log.found
    assert (damage.file, damage.record, damage.offset) == (str(path), number, start)
    assert "checksum" in damage.reason


def test_every_truncation_is_reported(path):
    whole = path.read_bytes()
    ends = {*offsets(), len(whole)}
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        records, log = read(path)
        complete = sum(end <= size for end in [*offsets()[1:], len(whole)])
        assert records == DATA[:complete]
        assert len(log.found) == (size not in ends)
        assert all("truncated" in str(damage) for damage in log.found)


def test_damage_beyond_the_limit_is_an_error(path, capsys):
    data = bytearray(path.read_bytes())
    for start in offsets()[:2]:
        data[start + 12] ^= 1
    path.write_bytes(data)
    assert read(path, limit=2)[0] == DATA[2:]
    with pytest.raises(
        InputError, match=r"x.tfrecord, record 1 \(byte 28\).*More than 1 damaged records"
    ):
        list(read_records(path, DamageLog(1)))
    assert "skipped a damaged record" in capsys.readouterr().err
    with pytest.raises(InputError, match="record 0"):
        read(path, limit=0)


def test_a_record_lost_in_garbage_is_found_again(tmp_path):
    path = tmp_path / "x.tfrecord"
    garbage = bytes(range(256)) * 8200  # over two of the pieces in which the search reads
    path.write_bytes(frame_record(b"a") + garbage + frame_record(b"b" * 5000) + frame_record(b"c"))
    records, log = read(path)
    assert records == [b"a", b"b" * 5000, b"c"]
    assert len(log.found) == 1


def test_an_absurd_length_is_damage(path):
    length = struct.pack("<Q", 1 << 62)
    path.write_bytes(length + struct.pack("<I", masked_crc32c(length)) + path.read_bytes())
    records, log = read(path)
    assert records == DATA
    assert "truncated" in log.found[0].reason


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none")


def test_recorded_bridge_file(shared_data):
    """A real file: 25 episodes of 10 frames, every checksum verified (nothing may be skipped)."""
    from pixelpush.datasets.examples import bytes_feature, float_feature, parse_example
    from pixelpush.datasets.images import decode_image

    (path,) = (shared_data / "bridge").glob("*.tfrecord-*")
    records = list(read_records(path, DamageLog(0)))
    assert len(records) == 25
    assert sum(len(record.data) + 16 for record in records) == path.stat().st_size
    for record in records:
        features = parse_example(record.data, "record")
        jpegs = bytes_feature(features, "steps/observation/image_0", "record")
        assert len(jpegs) == 10
        assert decode_image(jpegs[0], "frame").shape == (64, 64, 3)
        assert float_feature(features, "steps/action", 70, "record").shape == (70,)
