"""Saves: whole or nothing, the last k and the best, damage named, nothing executed."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, run_once, tiny_task

from pixelpush.errors import InputError
from pixelpush.saved import complete_saves, find_saved
from pixelpush.training import checkpoint
from pixelpush.training.average import new_average
from pixelpush.training.checkpoint import Progress, TrainState
from pixelpush.training.optimizer import build_optimizer
from pixelpush.training.save_integrity import progress_checksum
from pixelpush.vpn import load_model

FILES = {
    "COMPLETE",
    "model.json",
    "model.safetensors",
    "optimizer.pt",
    "progress.json",
    "train.safetensors",
}


def state_at(examples: int, best: int | None = None) -> TrainState:
    torch.manual_seed(examples)
    model = tiny_task().build_model()
    optimizer = build_optimizer(CONFIG.optimizer, model)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    state = TrainState(
        "video", model, new_average(model), optimizer, Progress(examples, examples // 5, 1.5)
    )
    if best is not None:
        state.progress.best = {"save": f"{best:010d}", "validation_nats_per_subpixel": 2.0}
    return state


def weights(state: TrainState) -> list[torch.Tensor]:
    assert state.average is not None
    slots = [slot for slots in state.optimizer.state.values() for slot in slots.values()]
    return [*state.model.state_dict().values(), *state.average.state_dict().values(), *slots]


def same(a: TrainState, b: TrainState) -> bool:
    return a.progress == b.progress and all(map(torch.equal, weights(a), weights(b)))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three saves, after 5, 10 and 15 examples."""
    for examples in (5, 10, 15):
        checkpoint.write_save(tmp_path, state_at(examples), keep=3)
    return tmp_path


def test_round_trip_is_exact(run: Path):
    save = checkpoint.newest_sound_save(run)
    assert save == run / "checkpoints" / "0000000015"
    assert {item.name for item in save.iterdir()} == FILES
    restored = state_at(0)
    checkpoint.restore(save, restored)
    assert same(restored, state_at(15))
    # what everybody else loads is the average
    average = restored.average
    assert average is not None
    assert all(
        map(torch.equal, load_model(run).state_dict().values(), average.state_dict().values())
    )


def test_last_saves_and_the_best_are_kept(run: Path):
    for examples in (20, 25, 30):
        checkpoint.write_save(run, state_at(examples, best=10), keep=2)
    assert [int(save.name) for save in complete_saves(run)] == [10, 25, 30]
    assert find_saved(run).folder.name == "0000000010"
    assert sorted(item.name for item in (run / "checkpoints").iterdir()) == [
        "0000000010",
        "0000000025",
        "0000000030",
    ]


@pytest.mark.parametrize("file", sorted(FILES))
@pytest.mark.parametrize("fault", ["missing", "truncated", "flipped"])
def test_a_damaged_newest_save_is_named_and_the_one_before_is_used(
    run: Path, capsys, file: str, fault: str
):
    victim = run / "checkpoints" / "0000000015" / file
    content = bytearray(victim.read_bytes())
    if file == "COMPLETE" and fault != "missing":
        return  # only its presence counts
    if fault == "missing":
        victim.unlink()
    elif fault == "truncated":
        victim.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 0x10
        victim.write_bytes(content)
    save = checkpoint.newest_sound_save(run)
    assert save == run / "checkpoints" / "0000000010"
    message = capsys.readouterr().err
    assert "0000000015" in message
    assert "the save before it is used" in message
    assert (run / "checkpoints" / "damaged-0000000015").is_dir()
    checkpoint.write_save(run, state_at(15), keep=3)  # its place is free again
    assert checkpoint.newest_sound_save(run) == run / "checkpoints" / "0000000015"


def test_all_saves_damaged_is_an_error_and_not_a_fresh_start(run: Path):
    for save in complete_saves(run):
        (save / "optimizer.pt").unlink()
    with pytest.raises(InputError, match="every save of this run is damaged"):
        checkpoint.newest_sound_save(run)


def test_an_unknown_format_is_refused(run: Path):
    path = run / "checkpoints" / "0000000015" / "progress.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(InputError, match="format 99 is not format 1"):
        checkpoint.newest_sound_save(run)


def test_a_save_that_carries_code_is_refused(run: Path, tmp_path: Path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    save = run / "checkpoints" / "0000000015"
    (save / "optimizer.pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(InputError, match=r"optimizer\.pt: not this run's optimiser state"):
        checkpoint.restore(save, state_at(0))
    torch.save({"state": Evil()}, save / "optimizer.pt")
    with pytest.raises(InputError, match=r"optimizer\.pt: not this run's optimiser state"):
        checkpoint.restore(save, state_at(0))
    assert not (tmp_path / "executed").exists()


def restore_error(save: Path) -> str:
    """What ``restore`` says against a save; '' where it takes it, with a state that can be used."""
    state = state_at(0)
    try:
        checkpoint.restore(save, state)
    except InputError as error:
        return str(error)
    for parameter, slots in state.optimizer.state.items():
        for slot in slots.values():
            assert slot.shape in (parameter.shape, ())
            assert torch.isfinite(slot).all()
    return ""


@pytest.mark.parametrize(
    "count", [pytest.param(80, id="few"), pytest.param(3000, id="many", marks=pytest.mark.slow)]
)
def test_a_damaged_optimiser_is_read_or_refused(run: Path, count: int):
    """As an attacker would who knows to renew the digests: nothing but ``restore`` stands in the
    way."""
    save = run / "checkpoints" / "0000000015"
    good, refused = (save / "optimizer.pt").read_bytes(), 0
    for case in range(count):
        draw = np.random.default_rng(case)
        bad = bytearray(good)
        for _ in range(1 + int(draw.integers(4))):
            # half of the changes fall on the pickle, which stands at the beginning
            bad[int(draw.integers(2000 if case % 2 else len(bad)))] = int(draw.integers(256))
        (save / "optimizer.pt").write_bytes(
            bad[: int(draw.integers(len(bad)))] if case % 5 == 0 else bad
        )
        message = restore_error(save)
        assert "\n" not in message
        assert not message or f"{save}/optimizer.pt: not this run's optimiser state" in message
        refused += bool(message)
    assert refused > count // 4


def test_optimiser_states_that_do_not_fit_are_refused(run: Path):
    save = run / "checkpoints" / "0000000015"
    good = torch.load(save / "optimizer.pt", weights_only=True)
    huge = torch.zeros(1).expand(1 << 45)  # no memory here; a copy of it would be 140 terabytes
    for change in (
        [],
        {},
        {"state": 7, "param_groups": good["param_groups"]},
        {**good, "param_groups": []},
        {**good, "param_groups": [{"lr": 1.0}]},
        {
            **good,
            "state": {
                **good["state"],
                0: {"step": torch.ones(()), "exp_avg": huge, "exp_avg_sq": huge},
            },
        },
        {**good, "state": {**good["state"], 10**6: good["state"][0]}},
    ):
        torch.save(change, save / "optimizer.pt")
        assert "not this run's optimiser state" in restore_error(save), change
    torch.save(good, save / "optimizer.pt", _use_new_zipfile_serialization=False)
    assert "not written by torch.save" in restore_error(save)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "train.safetensors", "optimizer.pt", "progress.json"]
)
def test_a_disk_that_fills_leaves_the_saves_as_they_were(run: Path, monkeypatch, file: str):
    real_bytes, real_text = Path.write_bytes, Path.write_text

    def full(real):
        def write(path: Path, data, *rest, **options):
            if file.split(".")[0] in path.name:
                real(path, data[: len(data) // 2], *rest, **options)
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            return real(path, data, *rest, **options)

        return write

    monkeypatch.setattr(Path, "write_bytes", full(real_bytes))
    monkeypatch.setattr(Path, "write_text", full(real_text))
    with pytest.raises(InputError, match=r"disk is full.*Free some space"):
        checkpoint.write_save(run, state_at(20), keep=1)
    monkeypatch.undo()
    assert [int(save.name) for save in complete_saves(run)] == [5, 10, 15]
    assert len(list((run / "checkpoints").iterdir())) == 3
    checkpoint.write_save(run, state_at(20), keep=1)
    assert [int(save.name) for save in complete_saves(run)] == [20]


def test_too_little_space_is_said_before_anything_is_written(run: Path, monkeypatch):
    usage = shutil.disk_usage(run)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"a save needs \d+ MB but the disk has 0 MB free"):
        checkpoint.write_save(run, state_at(20), keep=1)
    assert len(list((run / "checkpoints").iterdir())) == 3


def test_weights_that_are_not_finite_are_not_saved(run: Path):
    state = state_at(20)
    name, parameter = next(iter(state.model.named_parameters()))
    parameter.data.view(-1)[0] = float("inf")
    with pytest.raises(InputError, match=f"weight {name} is not finite"):
        checkpoint.write_save(run, state, keep=1)
    assert [int(save.name) for save in complete_saves(run)] == [5, 10, 15]


def rewrite(save: Path, optimizer: bytes) -> None:
    """Replace the optimiser's file and renew all digests, as one who forges a save would."""
    (save / "optimizer.pt").write_bytes(optimizer)
    progress = json.loads((save / "progress.json").read_text())
    progress.pop("checksum")
    progress["sha256"]["optimizer.pt"] = hashlib.sha256(optimizer).hexdigest()
    progress["checksum"] = progress_checksum(progress)
    (save / "progress.json").write_text(json.dumps(progress))


def test_an_optimiser_that_is_not_finite_is_refused(run: Path):
    save = run / "checkpoints" / "0000000015"
    state = torch.load(save / "optimizer.pt", weights_only=True)
    slots = state["state"][0]
    name = next(name for name in sorted(slots) if slots[name].ndim)
    slots[name].view(-1)[0] = float("nan")
    buffer = io.BytesIO()
    torch.save(state, buffer)
    rewrite(save, buffer.getvalue())
    with pytest.raises(InputError, match=f"{name} of parameter 0 is not finite"):
        checkpoint.restore(save, state_at(0))


def test_a_packed_optimiser_is_refused_before_it_unfolds(run: Path):
    save = run / "checkpoints" / "0000000015"
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(save / "optimizer.pt") as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for item in source.infolist():
            packed.writestr(item.filename, source.read(item))
    rewrite(save, buffer.getvalue())
    with pytest.raises(InputError, match="compressed, which torch"):
        checkpoint.restore(save, state_at(0))


def test_a_copied_save_breaks_nothing(run: Path):
    saves = run / "checkpoints"
    shutil.copytree(saves / "0000000015", saves / "0000000015-backup")
    assert checkpoint.newest_sound_save(run) == saves / "0000000015"
    checkpoint.write_save(run, state_at(20), keep=1)
    assert {save.name for save in saves.iterdir()} == {"0000000015-backup", "0000000020"}


def test_leftovers_of_a_kill_are_cleared(run: Path):
    (run / "checkpoints" / ".0000000020.abcd.partial").mkdir()
    (run / "checkpoints" / ".0000000020.abcd.partial" / "optimizer.pt").write_bytes(b"half")
    (run / ".best.0123.partial.json").write_text("{")
    checkpoint.clear_leftovers(run)
    assert not [item for item in run.rglob("*") if "partial" in item.name]
    assert len(complete_saves(run)) == 3


def test_a_run_whose_newest_save_is_damaged_ends_at_the_same_weights(tmp_path: Path, capsys):
    config = replace(CONFIG, examples=50)
    run_once(tmp_path / "a", config)
    run_once(tmp_path / "b", config, minutes=1e-9)
    run_once(tmp_path / "b", config, minutes=1e-9)
    (tmp_path / "b" / "checkpoints" / "0000000010" / "model.safetensors").write_bytes(b"")
    run_once(tmp_path / "b", config)
    assert (
        "0000000010/model.safetensors: missing or not what was written" in capsys.readouterr().err
    )
    last = Path("checkpoints/0000000050/train.safetensors")
    assert (tmp_path / "a" / last).read_bytes() == (tmp_path / "b" / last).read_bytes()
