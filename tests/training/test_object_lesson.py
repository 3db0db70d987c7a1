"""Lessons about objects: their arrays, what learns from them, and who is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, MODEL, episodes

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.training.object_lesson import LESSON, object_lesson
from pixelpush.training.video_task import VideoTask

OBJECTS = {**MODEL, "encoder": "layered", "objects": 2}
LESSONS = replace(CONFIG.data, teaches="objects", drawing_episodes=2, jitter=0, colour=0.0)
OWN = replace(LESSONS, teaches="all", drawing_episodes=0, own_samples=0.5, object_labels=True)


def labelled(count: int) -> list[Episode]:
    """Episodes of 16x16 in which one object goes right by two pixels a frame and one rests."""
    found = []
    for plain in episodes(count):
        frames = np.zeros((6, 3, 16, 16), np.uint8)
        seen = np.zeros((6, 16, 16), np.uint8)
        seen[:, 12:14, 12:14] = 3
        for time in range(6):
            seen[time, 6:8, 2 * time : 2 * time + 2] = 2
            frames[time, 0] = time
        extra = {
            "object_places": np.array(
                [[[2 * t + 0.5, 6.5, 1], [12.5, 12.5, 1]] for t in range(6)], np.float32
            ),
            "segmentation": seen,
            "arm_places": np.arange(6 * 6 * 3, dtype=np.float32).reshape(6, 6, 3),
        }
        found.append(replace(plain, frames=frames, extra=extra))
    return found


def test_a_lesson_is_one_labelled_frame_and_the_ways_of_its_whole_episode():
    (episode,) = labelled(1)
    lesson = object_lesson(episode, 16)
    assert tuple(lesson) == LESSON
    assert int(lesson["time"]) == 4
    assert np.array_equal(lesson["frame"], episode.frames[4])
    assert np.array_equal(lesson["segmentation"], episode.extra["segmentation"][4])
    assert lesson["places"][:, 0].tolist() == [[2 * t + 0.5, 6.5] for t in range(6)]
    assert np.isnan(lesson["places"][:, 2:]).all()
    # Of the arm's six points, the fingertip, which is the last, and the hand before it.
    assert lesson["hands"][0].tolist() == [[15, 16], [12, 13]]


def test_lessons_teach_the_objects_and_nothing_else():
    task = VideoTask("ot", OBJECTS, LESSONS, labelled(3))
    model = task.build_model()
    _, arrays = task.example(seed=0, epoch=0, index=1)
    assert set(arrays) == {f"lesson_{name}" for name in LESSON}
    batch = {name: torch.from_numpy(array)[None] for name, array in arrays.items()}
    losses = task.losses(model, batch)
    assert task.headline in losses
    losses["loss"].backward()
    taught = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert taught == {name for name, _ in model.named_parameters() if ".objects." in name}


def test_a_way_is_learnt_from_lessons():
    torch.manual_seed(0)
    task = VideoTask("ot", OBJECTS, LESSONS, labelled(3))
    model = task.build_model()
    optimiser = torch.optim.Adam(model.encoder.objects.parameters(), 5e-3)
    errors = []
    for step in range(60):
        _, arrays = task.example(seed=0, epoch=step, index=1)
        batch = {name: torch.from_numpy(array)[None] for name, array in arrays.items()}
        losses = task.losses(model, batch)
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        errors.append(losses["object_error"].item())
    # One object moves by two pixels, the other by none: standing still errs by 0.875.
    assert errors[0] > 0.7
    assert np.mean(errors[-5:]) < 0.4


def test_places_come_with_clips_where_a_model_has_objects():
    task = VideoTask("ot", OBJECTS, OWN, labelled(2))
    _, arrays = task.example(seed=0, epoch=0, index=0)
    assert arrays["places"].shape == (4, 32, 2)
    asked = []
    batch = {name: torch.from_numpy(array)[None] for name, array in arrays.items()}
    torch.manual_seed(0)
    for _ in range(40):
        task.losses(lambda *clip: asked.append(clip[4:]), batch)
    own = [clip for clip in asked if clip[0] is not None]
    assert 5 < len(own) < 35
    # In its own pasts objects go along the model's ways, in some true pasts along the labels'.
    assert all(len(clip) == 2 and clip[0].unlearnt is not None for clip in own)
    assert 2 < sum(len(clip) == 3 for clip in asked) < 30
    plain = VideoTask("ot", {**OBJECTS, "objects": 0}, OWN, labelled(2))
    assert "places" not in plain.example(seed=0, epoch=0, index=0)[1]


def test_who_has_no_objects_or_no_labels_is_refused():
    with pytest.raises(InputError, match="this model has no objects"):
        VideoTask("ot", {**OBJECTS, "objects": 0}, LESSONS, labelled(1))
    with pytest.raises(InputError, match="drawing_episodes above 0"):
        VideoTask("ot", OBJECTS, replace(LESSONS, drawing_episodes=0), labelled(1))
    small = {**OBJECTS, "objects": 0}
    with pytest.raises(InputError, match="this model has no objects"):
        VideoTask("ot", small, LESSONS, episodes(1))
    without = [replace(one, extra={}) for one in labelled(1)]
    with pytest.raises(InputError, match="episode episode-0 has no object_places"):
        VideoTask("ot", OBJECTS, LESSONS, without)
