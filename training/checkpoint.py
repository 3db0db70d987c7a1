"""Saves of a run: ``run/checkpoints/<examples>/``. A folder counts once its marker is there, which
is written last.

model.json, model.safetensors   the weights to evaluate: the average if there is one
train.safetensors               the weights in training, where an average is kept
optimizer.pt                    the optimiser's state, read with ``weights_only``
progress.json                   counters, format version, SHA-256 of the other files and of itself
"""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import shutil
import struct
import sys
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.files import atomic_folder, is_complete, read_json, write_json
from pixelpush.saved import complete_saves, load_tensors, numbered_saves, save_model_files
from pixelpush.training.divergence import check_weights
from pixelpush.training.save_integrity import (
    FORMAT,
    DamagedSave,
    file_sha256,
    progress_checksum,
    verify_save,
)

# Room for file system overhead and the small files.
_SPARE_BYTES = 4 << 20


@dataclass
class Progress:
    """Counters of a run.

    best: the best save so far, as in best.json. seconds: spent on training steps so far.

    >>> Progress(examples=64, steps=8).best is None
    True
    """

    examples: int = 0
    steps: int = 0
    seconds: float = 0.0
    best: Mapping[str, Any] | None = None


@dataclass
class TrainState:
    """Everything that a save holds.

    family: of the model. average: the running average of the weights, if the run keeps one.

    >>> model = nn.Linear(1, 1)
    >>> state = TrainState("video", model, None, torch.optim.SGD(model.parameters(), 0.1))
    >>> state.evaluated is model
    True
    """

    family: str
    model: nn.Module
    average: nn.Module | None
    optimizer: torch.optim.Optimizer
    progress: Progress = field(default_factory=Progress)

    @property
    def evaluated(self) -> nn.Module:
        """The weights to evaluate."""
        return self.model if self.average is None else self.average


def save_path(run: Path, examples: int) -> Path:
    """Return where the save after ``examples`` lies.

    >>> save_path(Path("run"), 64).as_posix()
    'run/checkpoints/0000000064'
    """
    return run / "checkpoints" / f"{examples:010d}"


def write_save(run: Path, state: TrainState, keep: int) -> Path:
    """Write the save of this moment, point best.json at the best, and drop old saves.

    keep: how many of the last saves stay, beside the best. Raises InputError on a full disk and for
    weights that are not finite; earlier saves are then untouched.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> state = TrainState("video", model, None, torch.optim.SGD(model.parameters(), 0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_save(Path(folder), state, keep=3).name
    '0000000000'
    """
    path = save_path(run, state.progress.examples)
    if not is_complete(path):
        check_weights(state.model, f"after {state.progress.examples} examples")
        _check_space(run, state)
        with atomic_folder(path) as folder:
            _write_files(folder, state)
    write_best(run, state.progress)
    drop_old_saves(run, keep, state.progress)
    return path


def write_best(run: Path, progress: Progress) -> None:
    """Write best.json if there is a best save.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_best(Path(folder), Progress(best={"save": "0000000064"}))
    ...     read_json(Path(folder) / "best.json")
    {'save': '0000000064'}
    """
    if progress.best is not None:
        write_json(run / "best.json", progress.best)


def drop_old_saves(run: Path, keep: int, progress: Progress) -> None:
    """Keep the last ``keep`` saves and the best.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for examples in (1, 2, 3):
    ...         with atomic_folder(save_path(Path(folder), examples)):
    ...             pass
    ...     drop_old_saves(Path(folder), 1, Progress(best={"save": "0000000001"}))
    ...     [int(save.name) for save in complete_saves(Path(folder))]
    [1, 3]
    """
    best = progress.best and progress.best["save"]
    for save in complete_saves(run)[:-keep]:
        if save.name != best:
            # Renamed first: a kill while deleting must not leave a folder that looks complete.
            doomed = save.with_name(f".{save.name}.partial")
            os.rename(save, doomed)
            shutil.rmtree(doomed)


def clear_leftovers(run: Path) -> None:
    """Remove what a kill in the middle of a save left behind.

    Only the process that holds the run's lock may do it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "checkpoints" / ".0000000064.abc.partial").mkdir(parents=True)
    ...     clear_leftovers(Path(folder))
    ...     list((Path(folder) / "checkpoints").iterdir())
    []
    """
    for leftover in [*run.glob(".*.partial*"), *(run / "checkpoints").glob(".*.partial")]:
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def newest_sound_save(run: Path) -> Path | None:
    """Return the newest save that is whole, or None where there is no save.

    A damaged newer one is named on stderr and set aside. Raises InputError if there are saves but
    none is whole, or if one has a format that this version does not know.

    >>> newest_sound_save(Path("no-such-run")) is None
    True
    """
    saves = numbered_saves(run)
    for save in reversed(saves):
        try:
            verify_save(save)
            return save
        except DamagedSave as error:
            # Renamed, not deleted: what is left of it may still be of use to a person.
            aside = save.with_name(f"damaged-{save.name}")
            if aside.exists():
                shutil.rmtree(aside)
            os.rename(save, aside)
            print(
                f"{error} It is set aside as {aside.name}; the save before it is used.",
                file=sys.stderr,
            )
    if saves:
        raise InputError(f"{run}: every save of this run is damaged; start again in another --run.")
    return None


def restore(save: Path, state: TrainState) -> None:
    """Fill the state from a save that ``newest_sound_save`` found.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> state = TrainState("video", model, None, torch.optim.SGD(model.parameters(), 0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     restore(write_save(Path(folder), state, keep=1), state)
    >>> state.progress.examples
    0
    """
    progress = _read_progress(save)
    weights = "train.safetensors" if state.average is not None else "model.safetensors"
    load_tensors(save / weights, state.model.state_dict(), state.model.load_state_dict)
    if state.average is not None:
        load_tensors(
            save / "model.safetensors", state.average.state_dict(), state.average.load_state_dict
        )
    _restore_optimizer(save / "optimizer.pt", state.optimizer)
    state.progress = Progress(**progress)


def _restore_optimizer(file: Path, optimizer: torch.optim.Optimizer) -> None:
    """Fill the optimiser; a file of another optimiser, of other shapes, damaged or carrying code is
    refused."""
    try:
        with open(file, "rb") as stream:
            # torch's older formats say how much to allocate before anything is compared.
            if stream.read(4) != b"PK\x03\x04":
                raise ValueError("not written by torch.save")
        _refuse_compressed(file)
        with warnings.catch_warnings():  # about a pickle of another protocol, as damage makes them
            warnings.simplefilter("ignore")
            loaded = torch.load(file, map_location="cpu", weights_only=True)
        _check_slots(loaded, optimizer)
        optimizer.load_state_dict(loaded)
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise InputError(
            f"{file}: not this run's optimiser state ({reason}); restore the save, or use "
            "another --run."
        ) from None


# What torch's reader and ``load_state_dict`` are known to raise on files that are not what they
# should be.
_UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    AssertionError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    NotImplementedError,
)


def _refuse_compressed(file: Path) -> None:
    """torch.save packs nothing: what is packed may unfold to any size."""
    with zipfile.ZipFile(file) as archive:
        packed = [item for item in archive.infolist() if item.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise ValueError(f"{packed[0].filename} is compressed, which torch.save never writes")


def _check_slots(loaded: Any, optimizer: torch.optim.Optimizer) -> None:
    """Each stored tensor has its parameter's shape or is one number, and is finite; torch itself
    does not look."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, slots in loaded["state"].items():
        for name, slot in slots.items():
            if not isinstance(slot, torch.Tensor):
                continue
            if slot.ndim and slot.shape != parameters[index].shape:
                shape = tuple(parameters[index].shape)
                raise ValueError(f"{name} of parameter {index} is {tuple(slot.shape)}, not {shape}")
            if slot.is_floating_point() and not bool(torch.isfinite(slot).all()):
                raise ValueError(f"{name} of parameter {index} is not finite everywhere")


def _write_files(folder: Path, state: TrainState) -> None:
    config: Any = state.model.config
    save_model_files(folder, state.family, dataclasses.asdict(config), state.evaluated.state_dict())
    if state.average is not None:
        tensors = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in state.model.state_dict().items()
        }
        (folder / "train.safetensors").write_bytes(safetensors.torch.save(tensors))
    # Through memory: torch's own writer hides a full disk behind an unrelated error.
    buffer = io.BytesIO()
    torch.save(state.optimizer.state_dict(), buffer)
    (folder / "optimizer.pt").write_bytes(buffer.getbuffer())
    digests = {item.name: file_sha256(item) for item in sorted(folder.iterdir())}
    progress = {"format": FORMAT, **dataclasses.asdict(state.progress), "sha256": digests}
    write_json(folder / "progress.json", {**progress, "checksum": progress_checksum(progress)})


def _check_space(run: Path, state: TrainState) -> None:
    tensors = [*state.model.state_dict().values()]
    if state.average is not None:
        tensors += state.average.state_dict().values()
    for slots in state.optimizer.state.values():
        tensors += [slot for slot in slots.values() if isinstance(slot, torch.Tensor)]
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors) + _SPARE_BYTES
    free = shutil.disk_usage(run).free
    if free < needed:
        raise InputError(
            f"{run}: a save needs {needed / 1e6:.0f} MB but the disk has {free / 1e6:.0f} MB "
            "free; nothing was written."
            " Free some space and run the same command again."
        )


def _read_progress(save: Path) -> Mapping[str, Any]:
    found = read_json(save / "progress.json")
    try:
        return {item.name: found[item.name] for item in dataclasses.fields(Progress)}
    except KeyError as error:
        raise InputError(
            f"{save}/progress.json: {error} is missing; the save is damaged."
        ) from None
