"""The command ``pixelpush rollout``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.cli.options import check_counts
from pixelpush.errors import InputError
from pixelpush.eval.rollout.settings import RolloutOutputs, RolloutSettings
from pixelpush.settings import Device


@dataclass(frozen=True)
class RolloutOptions:
    """Options of ``pixelpush rollout``.

    Example:
        >>> RolloutOptions("push-ot-small", RolloutOutputs(Path("futures"))).episodes
        (0,)
    """

    model: str
    """Run folder, saved model or name of a shipped one."""
    outputs: RolloutOutputs
    """What is written, and where."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on."""
    split: str = ""
    """Split. Left out: the data's last one (test, or test-novel)."""
    episodes: tuple[int, ...] = (0,)
    """Numbers of the episodes in the split, from 0."""
    folder: Path | None = None
    """Instead of data: a folder with the first frames, states.csv and actions.csv
    (docs/evaluation.md)."""
    actions: Path | None = None
    """CSV of actions in the place of the recorded ones, a line of column names and a row for each
    frame to sample. Future states are then predicted, and there is no truth to compare with."""
    context: int | None = None
    """Frames given. Left out: as in training."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    sampling: RolloutSettings = field(default_factory=RolloutSettings)
    """How futures are sampled."""


def rollout(options: RolloutOptions) -> None:
    """Sample futures of given frames and actions: MP4, film strip, arrays.

    Example:
        >>> outputs = RolloutOutputs(Path("futures"))
        >>> rollout(RolloutOptions("push-ot-small", outputs, episodes=()))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --episodes: give at least one number of an episode, from 0.
    """
    _check(options)
    from pixelpush.eval.likelihood.runs import check_request

    if options.folder is None:  # before torch is loaded and anything is simulated
        check_request(options.model, options.data, options.split, options.episodes)

    from pixelpush.eval.rollout import run

    ready = run.prepare(options.model, options.context, options.device, options.sampling)
    if options.folder is not None:
        run.roll_out_folder(ready, options.folder, options.outputs)
    else:
        run.roll_out_episodes(
            ready,
            options.data,
            options.split,
            options.episodes,
            options.outputs,
            options.actions,
        )


def _check(options: RolloutOptions) -> None:
    """Refuse options that do not go together."""
    check_counts(options, "context")
    if not options.episodes:
        raise InputError("--episodes: give at least one number of an episode, from 0.")
    if options.folder is not None and (options.data or options.split or _measured(options.outputs)):
        raise InputError(
            "--folder takes the place of --data and --split, and has no truth for --quality, "
            "--lpips and --fvd; leave them out."
        )
    if options.folder is not None and options.actions is not None:
        raise InputError("--folder has its own actions.csv; leave --actions out.")
    if options.actions is not None and _measured(options.outputs):
        raise InputError("--actions has no truth for --quality, --lpips and --fvd; leave them out.")


def _measured(outputs: RolloutOutputs) -> bool:
    """Whether something is asked for that needs the truth."""
    return outputs.quality or outputs.lpips is not None or outputs.fvd is not None
