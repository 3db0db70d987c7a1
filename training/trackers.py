"""Where metrics go beside ``metrics.jsonl``: TensorBoard, Weights & Biases, Trackio. Each is an
extra; a missing one is refused before anything starts. Light: a tracker is imported when used."""

from __future__ import annotations

import importlib.util
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pixelpush.errors import InputError
from pixelpush.files import read_json, write_json
from pixelpush.registry import Registry

PROJECT = "pixelpush"


class Tracker(Protocol):
    """A sink of metrics.

    >>> [name for name in TRACKERS]
    ['tensorboard', 'wandb', 'trackio']
    """

    def write(self, examples: int, values: Mapping[str, float]) -> None:
        """Take the figures after so many examples."""
        ...

    def close(self) -> None:
        """End the tracking."""
        ...


class TensorBoard:
    """Event files in ``run/tensorboard``; lines that a resumed run does again are purged.

    >>> TensorBoard.package
    'tensorboard'
    """

    package = "tensorboard"

    def __init__(self, run: Path, examples: int, config: Mapping[str, Any]):
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run / "tensorboard"), purge_step=examples + 1)

    def write(self, examples: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, examples)

    def close(self) -> None:
        self._writer.close()


class _Hosted(ABC):
    """Weights & Biases, or Trackio, which has the same interface. A run folder is one run there,
    also when it is continued: its identity is kept in the folder."""

    package: ClassVar[str]
    advice: ClassVar[str]

    def __init__(self, run: Path, examples: int, config: Mapping[str, Any]):
        try:
            self._module = importlib.import_module(self.package)
            self._begin(run, dict(config))
        except Exception as error:  # the package's own: no login, no network, a folder refused
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"--track {self.package}: it did not start ({first.rstrip('.')}); {self.advice}, "
                "or leave --track out."
            ) from error

    @abstractmethod
    def _begin(self, run: Path, config: Mapping[str, Any]) -> None:
        """Open the run there."""

    def write(self, examples: int, values: Mapping[str, float]) -> None:
        # "step" is their own word for the place on the axis, which here counts examples.
        figures = {"optimizer_step" if k == "step" else k: v for k, v in values.items()}
        self._module.log(figures, step=examples)

    def close(self) -> None:
        self._module.finish()


class WeightsAndBiases(_Hosted):
    """``wandb.init`` in project 'pixelpush'; WANDB_MODE=offline and its other variables hold.

    >>> WeightsAndBiases.package
    'wandb'
    """

    package = "wandb"
    advice = "log in by 'wandb login', or set WANDB_MODE=offline"

    def _begin(self, run: Path, config: Mapping[str, Any]) -> None:
        self._module.init(
            project=PROJECT,
            name=run.name,
            id=tracked_id(run),
            dir=str(run),
            config=config,
            resume="allow",
        )


class Trackio(_Hosted):
    """``trackio.init`` in project 'pixelpush', by the run's name and identity.

    >>> Trackio.package
    'trackio'
    """

    package = "trackio"
    advice = "correct the cause"

    def _begin(self, run: Path, config: Mapping[str, Any]) -> None:
        name = f"{run.name}-{tracked_id(run)}"
        self._module.init(project=PROJECT, name=name, config=config, resume="allow")


TRACKERS: Registry[type[TensorBoard] | type[WeightsAndBiases] | type[Trackio]] = Registry(
    "tracker",
    {"tensorboard": TensorBoard, "wandb": WeightsAndBiases, "trackio": Trackio},
)


def tracked_id(run: Path) -> str:
    """Return the identity under which a run is tracked; it is made once and kept in tracked.json.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tracked_id(Path(folder)) == tracked_id(Path(folder))
    True
    """
    path = run / "tracked.json"
    if not path.is_file():
        write_json(path, {"id": uuid.uuid4().hex[:8]})
    return str(read_json(path)["id"])


def check_trackers(names: Sequence[str]) -> None:
    """Refuse a tracker that is unknown or not installed.

    Raises InputError with the command that installs it.

    >>> check_trackers([])
    """
    for name in names:
        package = TRACKERS.find(name).package
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"--track {name} needs the package {package}: pip install 'pixelpush[{name}]'."
            )


def open_trackers(
    names: Sequence[str], run: Path, examples: int, config: Mapping[str, Any]
) -> list[Tracker]:
    """Begin tracking a run; examples: seen before. config: what the run is, in JSON values.

    >>> open_trackers([], Path("run"), 0, {})
    []
    """
    check_trackers(names)
    return [TRACKERS[name](run, examples, config) for name in names]
