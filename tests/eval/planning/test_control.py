"""Planning: predictors cost what they say, the true simulator's plans succeed, runs go on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.control import (
    ModelController,
    Outcome,
    PlanningController,
    RandomController,
    StraightController,
    goal_pixel,
    run_task,
)
from pixelpush.eval.planning.film import film_frames
from pixelpush.eval.planning.methods import Setup
from pixelpush.eval.planning.predictors import (
    Aim,
    ModelPredictor,
    SimulatorPredictor,
    end_and_mean,
    planning_world,
)
from pixelpush.eval.planning.record import PlanReport, TaskResult, read_report
from pixelpush.eval.planning.report import label, paired, plan_table
from pixelpush.eval.planning.run import Job, run_tasks
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings
from pixelpush.eval.planning.space import sim_space
from pixelpush.eval.planning.tasks import read_tasks
from pixelpush.vpn import build_model
from pixelpush.vpn.world import World, places

TASKS = read_tasks("val")
SHORT = ControlSettings(steps=4, replan=2, segment_frames=2)
FEW = PlannerSettings(candidates=6, iterations=2, elites=2)


def bin_of(task) -> PushingBin:
    return PushingBin("sim", task.split, task.episode)


def test_the_simulators_cost_is_what_happens_and_it_leaves_no_trace():
    task = TASKS[1]
    bin = bin_of(task)
    aim = Aim(bin.pixel(bin.place(task.slot))[:2], goal_pixel(bin, task))
    segments = np.array([[[0.03, 0.0]], [[-0.03, 0.0]]])
    actions = sim_space().actions(segments, bin.command, frames=2)
    before = bin.state(), bin.time
    costs = SimulatorPredictor(bin, task.slot).costs(actions, aim)
    np.testing.assert_array_equal(bin.state(), before[0])
    assert bin.time == before[1]
    distances = []
    for action in actions[1]:
        bin.step(action)
        place = bin.pixel(bin.place(task.slot))[:2]
        distances.append(np.hypot(*(place - aim.goal)))
    assert costs[1] == pytest.approx(end_and_mean(np.array([distances]))[0])


def test_with_the_true_simulator_objects_get_to_their_goals():
    """A task that is done with the usual settings, and not by random pushes."""
    task = TASKS[5]
    bin = bin_of(task)
    predictor = SimulatorPredictor(bin, task.slot)
    control = ControlSettings()
    outcome = run_task(PlanningController(bin, task, control, predictor, PlannerSettings()))
    assert outcome.candidate_frames == 24 * 2 * (10 + 7)
    assert outcome.start_distance == pytest.approx(task.distance, abs=2e-3)
    assert outcome.success
    assert not run_task(RandomController(bin_of(task), task, control)).success


def test_a_straight_push_moves_the_object_towards_its_goal():
    outcome = run_task(StraightController(bin_of(TASKS[5]), TASKS[5], ControlSettings()))
    assert outcome.improvement > 0.05
    assert outcome.candidate_frames == 0
    assert len(outcome.actions) == 16


def test_the_models_cost_is_that_of_the_point_that_its_flow_moves(bin_model):
    task = TASKS[0]
    bin = bin_of(task)
    world = World(bin_model, "mean")
    predictor = ModelPredictor(world)
    state = bin.state()[None]
    predictor.begin(bin.frame()[None], state, state[:0])
    aim = Aim(np.array([30.0, 20.0]), np.array([40.0, 22.0]))
    actions = np.stack([np.tile(bin.command, (3, 1)), np.tile(bin.command + 0.01, (3, 1))])
    costs = predictor.costs(actions, aim)
    assert predictor.frames_predicted == 6
    moment = world.follow(predictor.moment, torch.tensor([[30.0, 20.0]]))
    distances = []
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    away = np.hypot(columns - 40, rows - 22)
    for action in torch.from_numpy(actions[1]):
        moment = world.step(moment, action[None])
        distances.append((moment.mass[0, 0].numpy() * away).sum())
    assert costs[1] == pytest.approx(end_and_mean(np.array([distances]))[0], rel=1e-3)
    frames, where = predictor.imagine(actions[1], aim)
    np.testing.assert_array_equal(frames[-1], moment.frame[0].numpy())
    np.testing.assert_allclose(where[-1], places(moment)[0, 0].numpy(), atol=1e-4)


def test_the_pictures_cost_is_the_difference_of_the_last_frame(bin_model):
    task = TASKS[0]
    bin = bin_of(task)
    predictor = ModelPredictor(World(bin_model, "mean"), "picture")
    state = bin.state()[None]
    predictor.begin(bin.frame()[None], state, state[:0])
    actions = np.tile(bin.command, (2, 1))[None]
    aim = Aim(np.zeros(2), np.zeros(2), bin.frame_with(task.slot, np.array(task.goal)))
    frames, _ = predictor.imagine(actions[0], aim)
    off = ((frames[-1].astype(float) - aim.picture) ** 2).mean()
    assert predictor.costs(actions, aim)[0] == pytest.approx(off, rel=1e-5)


@pytest.mark.parametrize("sample", [False, True])
def test_a_model_works_on_a_task_and_the_film_shows_it(bin_model, sample):
    task = TASKS[2]
    world = planning_world(bin_model, sample, precision="32")
    # A sampled candidate costs as much as thirty composed ones.
    planner = replace(FEW, candidates=2, elites=1) if sample else FEW
    controller = ModelController(bin_of(task), task, SHORT, ModelPredictor(world), planner)
    outcome = run_task(controller)
    assert [plan.time for plan in outcome.plans] == [1, 3]
    assert len(outcome.frames) == len(outcome.path) == 6
    assert outcome.plans[0].frames.shape == (4, 3, 64, 64)
    film = film_frames(outcome)
    assert film.shape[0] == 6
    assert film.shape[1] % 2 == film.shape[2] % 2 == 0
    red = (film[0] == (230, 30, 30)).all(axis=-1)
    assert red.sum() >= 32


def test_the_same_seed_gives_the_same_outcome(bin_model):
    task = TASKS[2]
    world = planning_world(bin_model, precision="32")

    def actions(seed: int) -> np.ndarray:
        control = ControlSettings(steps=2, replan=2, segment_frames=2, seed=seed)
        predictor = ModelPredictor(world)
        return run_task(ModelController(bin_of(task), task, control, predictor, FEW)).actions

    first = actions(0)
    np.testing.assert_array_equal(first, actions(0))
    assert (first != actions(1)).any()


def test_a_run_goes_on_where_it_stopped_and_refuses_other_settings(tmp_path):
    setup = Setup(ControlSettings(steps=3))
    job = Job("random", "val", setup, tmp_path)
    first = run_tasks(job, TASKS[:2])
    told = json.loads(job.path.read_text())
    told["tasks"][0]["final_distance"] = 9.0  # a mark: it is not worked on again
    job.path.write_text(json.dumps(told))
    both = run_tasks(job, TASKS[:3])
    assert [task.number for task in both.tasks] == [0, 1, 2]
    assert both.tasks[0].final_distance == 9.0
    assert both.tasks[1] == first.tasks[1]
    with pytest.raises(InputError, match="another control"):
        run_tasks(Job("random", "val", Setup(ControlSettings(steps=4)), tmp_path), TASKS[:1])
    del told["tasks"][0]["success"]
    job.path.write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"damaged \('success'\); remove it"):
        run_tasks(job, TASKS[:2])


def test_the_other_search_has_a_file_and_a_row_of_its_own(tmp_path):
    short = ControlSettings(steps=1, replan=1)
    found = {}
    for planner in ("cem", "mppi"):
        searched = PlannerSettings(planner=planner, candidates=2, iterations=1, elites=1)
        job = Job("copy", "val", Setup(short, searched), tmp_path)
        run_tasks(job, TASKS[:1])
        found[job.path.name] = label(read_report(job.path))
    words = "planner, copying the last frame"
    assert found == {"val-copy.json": words, "val-copy-mppi.json": f"{words}, MPPI"}
    assert Job("random", "val", Setup(short, searched), tmp_path).path.name == "val-random.json"


def test_a_films_longest_caption_fits():
    task = replace(TASKS[0], split="test-novel", number=49)
    places, frames = np.zeros((17, 2)), [np.zeros((3, 64, 64), np.uint8)] * 17
    outcome = Outcome(task, 0.139, 0.123, places, places[0], places, 1.5, 0, frames=frames)
    below = film_frames(outcome)[-1, -34:]
    assert below.min() < 200
    assert below[:, -8:].min() == 255


def result(number: int, improvement: float) -> TaskResult:
    return TaskResult(
        number=number,
        episode=number,
        start_distance=0.12,
        final_distance=0.12 - improvement,
        improvement=improvement,
        success=improvement > 0.07,
        candidate_frames=10,
        seconds=1.0,
    )


def test_the_table_has_means_with_errors_and_paired_comparisons():
    tasks = (*(result(n, 0.08) for n in range(3)), result(3, 0.04))
    model = PlanReport("val", "model", "runs/one", settings={"cost": "pixel"}, tasks=tasks)
    random = PlanReport("val", "random", tasks=tuple(result(n, 0.01 * n) for n in range(4)))
    by = paired(model, random)
    values = [0.08, 0.07, 0.06, 0.01]
    assert by.mean == pytest.approx(np.mean(values))
    assert by.standard_error == pytest.approx(np.std(values, ddof=1) / 2)
    assert paired(model, replace(random, tasks=random.tasks[:1])).standard_error is None
    text = plan_table([random, model])
    assert "planner with one" in text
    assert "nearer than random by 5.5 ± 1.6 cm" in text
    assert "75 ± 25 %" in text


def test_a_model_without_a_flow_cannot_follow_a_point():
    plain = build_model("ot", channels=4, lstm_channels=4, decoder_channels=4, coarse_scales=0)
    task = TASKS[0]
    bin = bin_of(task)
    predictor = ModelPredictor(planning_world(plain.eval(), precision="32"))
    state = bin.state()[None]
    predictor.begin(bin.frame()[None], state, state[:0])
    with pytest.raises(InputError, match="cannot follow"):
        predictor.costs(np.tile(bin.command, (1, 2, 1)), Aim(np.ones(2), np.ones(2)))
