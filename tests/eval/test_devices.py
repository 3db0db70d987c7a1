"""A device that torch does not see is refused by its name, before anything is made for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixelpush import cli

SIM = ("--data", "sim")


@pytest.mark.parametrize(
    "command",
    [
        ("nll", "--model", "push-ot-small", *SIM, "--device"),
        ("nll", "--model", "objects-multiscale", "--data", "sim-objects", "--device"),
        ("rollout", "--model", "push-ot-small", *SIM, "--out", "out", "--device"),
        ("listen", "--model", "push-ot-small", *SIM, "--device"),
        ("surprise", "--model", "push-ot-small", *SIM, "--out", "out", "--device"),
        ("plan", "--model", "push-ot-small", "--out", "out", "--device"),
        ("drive", "--model", "push-ot-small", "--device"),
        ("sample", "--model", "objects-multiscale", "--out", "out.png", "--device"),
        ("speed", "--device"),
        ("train", "push-ot-small", *SIM, "--run", "run", "--accelerator"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("device", ["mps", "cuda"])
def test_a_device_that_is_not_there_is_named(
    command: tuple[str, ...],
    device: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        cli.main([*command, device])
    assert end.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert device in said[0].lower()
    assert "use --" in said[0]
    assert not list(tmp_path.iterdir())
