"""What a file is that is not what its name says: a pointer, a web page, an archive."""

from __future__ import annotations


def foreign(data: bytes) -> str | None:
    """In words what the first bytes of a file show, and what to do; None where nothing is known.

    >>> foreign(b"<!DOCTYPE html><html>")
    'a web page (HTML), not the file itself; download it again'
    """
    head = data[:512].lstrip()
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself; run 'git lfs pull' where it came from"
    if head[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), not the file itself; download it again"
    if head.startswith((b"<?xml", b"<Error>")):
        return "an XML document, perhaps a server's error message; download it again"
    if data[:2] == b"\x1f\x8b":
        return "compressed with gzip; unpack it with gunzip"
    if data[:4] == b"PK\x03\x04":
        return "a zip archive; unpack it"
    if data[:6] == b"\xfd7zXZ\0":
        return "compressed with xz; unpack it"
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return "compressed with zstd; unpack it"
    return None
