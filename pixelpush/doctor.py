"""The page of ``pixelpush doctor``, and its first part: what is installed.

A package that is missing or broken is a line of this page. So nothing but the standard library is
imported before it is looked for; ``soundness`` has the parts that need all packages."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pixelpush
from pixelpush.finding import Finding


def print_page(runs: Sequence[Path], full: bool) -> int:
    """Print the page: installation, devices, data stores, weights and runs. Returns the faults.

    full: read every episode of every store and compare its content hash.

    >>> import contextlib, io
    >>> from unittest.mock import patch
    >>> no_findings = patch.multiple(
    ...     "pixelpush.soundness", data_stores=lambda full: [], shipped_weights=lambda: []
    ... )
    >>> page = io.StringIO()
    >>> with no_findings, contextlib.redirect_stdout(page):
    ...     faults = print_page([], full=False)
    >>> page.getvalue().splitlines()[0]
    'software'
    """
    faults = _print_section("software", software()) + _print_section("devices", devices())

    from pixelpush import soundness

    faults += _print_section("data", soundness.data_stores(full))
    faults += _print_section("shipped weights", soundness.shipped_weights())
    for run in runs:
        faults += _print_section(f"run {run}", soundness.run_folder(run))
    return faults


def _print_section(title: str, findings: Iterable[Finding]) -> int:
    """Print what was found, the faults marked; returns how many there are."""
    print(title)
    faults = 0
    for finding in findings:
        faults += not finding.sound
        print(("  " if finding.sound else "! ") + finding.text)
    return faults


def software() -> Iterator[Finding]:
    """Python, pixelpush, the packages it needs with the versions that it allows, and ffmpeg.

    >>> next(software()).sound
    True
    """
    yield Finding(f"python {platform.python_version()}, {platform.platform()}")
    yield Finding(f"pixelpush {pixelpush.__version__}, {Path(pixelpush.__file__).parent}")
    try:
        needed = metadata.requires("pixelpush") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "pixelpush is not installed, so what it needs is not known: pip install -e .",
            sound=False,
        )
        needed = []
    yield from _packages(needed)
    yield _ffmpeg()


def _packages(needed: list[str]) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    for text in needed:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield Finding(
                f"{requirement.name} is missing: pip install "
                f"'{requirement.name}{requirement.specifier}'",
                False,
            )
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        wanted = "" if fits else f", but {requirement.specifier} is needed"
        yield Finding(f"{requirement.name} {found}{wanted}", fits)


def _ffmpeg() -> Finding:
    try:
        import imageio_ffmpeg

        return Finding(
            f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}, {imageio_ffmpeg.get_ffmpeg_exe()}"
        )
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        return Finding(
            f"no ffmpeg, so no MP4 is written or read ({reason}): pip install imageio-ffmpeg",
            sound=False,
        )


def devices() -> Iterator[Finding]:
    """What torch can compute on.

    >>> next(devices()).text
    'cpu, ... threads'
    """
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding(
            f"torch does not load ({str(error).splitlines()[0]}); install it again", sound=False
        )
        return
    yield Finding(f"cpu, {torch.get_num_threads()} threads")
    try:
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            torch.zeros(1, device=f"cuda:{number}").add_(
                1
            ).cpu()  # a device that is listed may still not work
            yield Finding(
                f"cuda:{number} {about.name}, {about.total_memory / 2**30:.0f} GiB, CUDA "
                f"{torch.version.cuda}"
            )
    except RuntimeError as error:
        yield Finding(f"CUDA fails ({str(error).splitlines()[0]}); check the driver", sound=False)
    if torch.backends.mps.is_available():
        yield Finding("mps")
