"""Plan from own data: two frames, their states, a point and its goal; actions come out."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.frames import fit_as
from pixelpush.datasets.images import decode_image
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.runs import RunFacts
from pixelpush.eval.planning.film import mark
from pixelpush.eval.planning.planners import search
from pixelpush.eval.planning.predictors import Aim, CostName, ModelPredictor
from pixelpush.eval.planning.settings import ControlSettings, FolderSettings, PlannerSettings
from pixelpush.eval.planning.space import model_space
from pixelpush.eval.rollout.context_folder import read_context_folder
from pixelpush.eval.rollout.drawing import Canvas, enlarge
from pixelpush.eval.rollout.mp4 import write_mp4
from pixelpush.files import atomic_file, write_json
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoConfig
from pixelpush.vpn.world import World

_CELL = 256
_FRAMES_PER_SECOND = 5


@dataclass(frozen=True)
class Proposal:
    """Actions proposed for a folder. actions: float32 (T, A), the first is for the last frame
    given. frames: uint8 (T, C, H, W), as the model expects them; places: (T, 2), of the point.

    >>> black = np.zeros((2, 3, 16, 16), np.uint8)
    >>> aim = Aim(np.array([3.0, 4.0]), np.array([5.0, 6.0]))
    >>> Proposal(black, np.zeros((2, 5)), black, np.zeros((2, 2)), aim, cost=2.0).cost
    2.0
    """

    given: np.ndarray
    actions: np.ndarray
    frames: np.ndarray
    places: np.ndarray
    aim: Aim
    cost: float


def propose(
    world: World,
    facts: RunFacts,
    wanted: FolderSettings,
    control: ControlSettings,
    planner: PlannerSettings,
) -> Proposal:
    """Plan one push sequence from the frames of a folder (docs/planning.md).

    facts: of the model's training. The folder is that of ``pixelpush rollout --folder``; of
    actions.csv only the rows between the given frames are read. With a point and a goal the
    point's way counts, with a goal picture the likeness of the last frame. Raises InputError for
    what is missing.

    >>> from pixelpush.eval.planning.predictors import planning_world
    >>> from pixelpush.vpn import build_model
    >>> world = planning_world(build_model("ot", frame_size=8, coarse_scales=0))
    >>> settings = FolderSettings(Path("nowhere")), ControlSettings(), PlannerSettings()
    >>> propose(world, RunFacts("", context=2, clip_frames=20), *settings)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; --folder names one with the first frames.
    """
    assert wanted.folder is not None
    folder = wanted.folder
    config = world.model.config
    space = model_space(world.model)
    frames, states, actions = read_context_folder(folder, config, facts.context, 0, facts.metadata)
    given = actions[: facts.context - 1]
    # The action that keeps the hand where it is: the last command; without one, the present pose,
    # or no move at all.
    start = given[-1] if len(given) else states[-1] if space.poses else np.zeros_like(space.lowest)
    if len(start) != config.action_dim:
        raise InputError(
            f"{folder}: states of {len(start)} numbers do not say which action of "
            f"{config.action_dim} keeps the hand where it is; give at least two frames."
        )
    aim, cost = _aim(config, wanted, facts.metadata)
    predictor = ModelPredictor(world, cost, derived_seed(control.seed, "samples of a folder"))
    predictor.begin(frames, states, given)

    def candidates(segments: np.ndarray) -> np.ndarray:
        pushes = segments.reshape(len(segments), control.segments, 2)
        return space.actions(pushes, start, control.segment_frames)

    size = 2 * control.segments
    found = search(
        lambda segments: predictor.costs(candidates(segments), aim),
        np.zeros(size),
        np.full(size, space.fastest),
        planner,
        np.random.default_rng(derived_seed(control.seed, "plan of a folder")),
    )
    best = candidates(found.best[None])[0]
    return Proposal(frames, best, *predictor.imagine(best, aim), aim, found.cost)


def write_proposal(proposal: Proposal, out: Path) -> list[Path]:
    """Write actions.csv, plan.mp4 and plan.json; returns their paths.

    >>> import tempfile
    >>> black = np.zeros((2, 3, 16, 16), np.uint8)
    >>> aim = Aim(np.array([3.0, 4.0]), np.array([5.0, 6.0]))
    >>> proposal = Proposal(black, np.zeros((2, 5)), black, np.zeros((2, 2)), aim, cost=2.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_proposal(proposal, Path(folder))]
    ['actions.csv', 'plan.mp4', 'plan.json']
    """
    actions = out / "actions.csv"
    with atomic_file(actions) as partial, open(partial, "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow([f"action_{number}" for number in range(proposal.actions.shape[1])])
        table.writerows(proposal.actions.tolist())
    film = out / "plan.mp4"
    write_mp4(film, _film(proposal), _FRAMES_PER_SECOND)
    told = out / "plan.json"
    followed = proposal.aim.picture is None
    write_json(
        told,
        {
            "format": "pixelpush-proposal",
            "version": 1,
            "cost": proposal.cost,
            "actions": proposal.actions.tolist(),
            "point": proposal.aim.point.tolist() if followed else None,
            "goal": proposal.aim.goal.tolist() if followed else None,
            "expected_places": proposal.places.round(2).tolist() if followed else None,
        },
    )
    return [actions, film, told]


def _aim(
    config: VideoConfig, wanted: FolderSettings, metadata: Mapping[str, Any]
) -> tuple[Aim, CostName]:
    size = config.frame_size
    picture = wanted.goal_picture
    point = wanted.point
    goal = wanted.goal
    if picture is not None:
        fitted = fit_as(metadata)(
            decode_image(read_bytes(picture), str(picture), config.colours), size
        )
        pixels = fitted.reshape(size, size, config.colours).transpose(2, 0, 1)
        nowhere = np.zeros(2)
        return Aim(nowhere, nowhere, np.ascontiguousarray(pixels)), "picture"
    if point is None or goal is None:
        raise InputError(
            "say what is to be pushed where: --point COLUMN ROW and --goal COLUMN ROW, or "
            "--goal-picture FILE."
        )
    for name, place in (("point", point), ("goal", goal)):
        if not all(0 <= value < size for value in place):
            raise InputError(
                f"--{name} {place[0]:g} {place[1]:g}: columns and rows of this model's frames go "
                f"from 0 to {size - 1}."
            )
    return Aim(np.array(point, np.float64), np.array(goal, np.float64)), "pixel"


def _film(proposal: Proposal) -> np.ndarray:
    factor = max(1, _CELL // proposal.given.shape[-1])
    pixels = proposal.given.shape[-1] * factor
    # H.264 with yuv420p takes even sides only.
    side = pixels + pixels % 2
    pictures = []
    followed = proposal.aim.picture is None
    for number, frame in enumerate([*proposal.given, *proposal.frames]):
        canvas = Canvas(side, side)
        canvas.paste((0, 0), enlarge(frame, factor))
        if followed:
            planned = number - len(proposal.given)
            place = proposal.aim.point if planned < 0 else proposal.places[planned]
            mark(canvas, (0, 0), proposal.aim.goal, factor, (20, 170, 60))
            mark(canvas, (0, 0), place, factor, (240, 180, 0))
        pictures.append(canvas.pixels())
    return np.stack(pictures)
