"""Rates are functions of the examples seen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.errors import InputError
from pixelpush.training.presets import find_preset
from pixelpush.training.schedule import SCHEDULES, Schedule, ScheduleConfig, make_schedule

counts = st.integers(0, 1000)


def test_paper_schedule_drops_at_the_published_steps():
    train = find_preset("paper-ot").train
    assert train.examples == 200_000 * train.batch_size
    for step, drops in ((0, 0), (82_999, 0), (83_000, 1), (112_999, 1), (113_000, 2), (199_999, 2)):
        rate = train.optimizer.learning_rate * make_schedule(train.schedule).factor(
            step * train.batch_size, train.examples
        )
        assert math.isclose(rate, 1e-4 * 0.3**drops)


@given(counts, counts, st.integers(0, 300), st.floats(0, 0.5))
def test_cosine_falls_after_the_warmup_and_rises_before(
    first: int, second: int, warmup: int, final: float
):
    config = ScheduleConfig(kind="cosine", warmup_examples=warmup, final=final)
    early, late = sorted((first, second))
    values = [make_schedule(config).factor(examples, 1000) for examples in (early, late)]
    assert all(0 < value <= 1 or value == final for value in values)
    if early >= warmup:
        assert values[0] >= values[1]
    if late <= warmup:
        assert values[0] <= values[1]


@given(st.integers(0, 900), st.floats(0, 1))
def test_cosine_ends(warmup: int, final: float):
    config = ScheduleConfig(kind="cosine", warmup_examples=warmup, final=final)
    assert make_schedule(config).factor(warmup, 1000) == 1
    assert math.isclose(make_schedule(config).factor(1000, 1000), final, abs_tol=1e-12)
    # a run that goes on past its plan keeps the last rate
    assert math.isclose(make_schedule(config).factor(1500, 1000), final, abs_tol=1e-12)


def test_exponential_reaches_the_image_paper_end():
    config = ScheduleConfig(kind="exponential", factor=0.1 ** (1000 / 25_600_000))
    assert math.isclose(make_schedule(config).factor(25_600_000, 1), 0.1, rel_tol=1e-9)


def test_an_unknown_schedule_is_refused_when_it_is_configured():
    with pytest.raises(InputError, match="unknown schedule 'linear'; choose one of constant, ste"):
        ScheduleConfig(kind="linear")


def test_a_schedule_is_one_class_and_one_line(monkeypatch):
    class Halved(Schedule):
        depends_on_length = False

        def decay(self, examples: int, planned: int) -> float:
            return 0.5

    monkeypatch.setitem(SCHEDULES, "halved", Halved)
    assert make_schedule(ScheduleConfig("halved")).factor(10, 100) == 0.5


def test_a_schedule_must_say_whether_it_depends_on_the_length():
    with pytest.raises(TypeError, match="Silent does not say whether it depends_on_length"):

        class Silent(Schedule):
            def decay(self, examples: int, planned: int) -> float:
                return 1.0


@pytest.mark.parametrize("kind", SCHEDULES)
@given(examples=counts, other=st.integers(1, 2000))
def test_what_a_schedule_says_of_the_length_is_true(kind: str, examples: int, other: int):
    """A run may be prolonged exactly where the rates so far do not know the plan."""
    schedule = make_schedule(ScheduleConfig(kind, drops=(300,), factor=0.9))
    if not schedule.depends_on_length:
        assert schedule.factor(examples, 1000) == schedule.factor(examples, other)
    else:
        assert schedule.factor(500, 1000) != schedule.factor(500, 2000)
