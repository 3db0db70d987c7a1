"""Rates are functions of the examples seen."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pixelpush.training.config import ScheduleConfig
from pixelpush.training.presets import find_preset
from pixelpush.training.schedule import rate_factor

counts = st.integers(0, 1000)


def test_paper_schedule_drops_at_the_published_steps():
    train = find_preset("paper-ot").train
    assert train.examples == 200_000 * train.batch_size
    for step, drops in ((0, 0), (82_999, 0), (83_000, 1), (112_999, 1), (113_000, 2), (199_999, 2)):
        rate = train.optimizer.learning_rate * rate_factor(
            train.schedule, step * train.batch_size, train.examples
        )
        assert math.isclose(rate, 1e-4 * 0.3**drops)


@given(counts, counts, st.integers(0, 300), st.floats(0, 0.5))
def test_cosine_falls_after_the_warmup_and_rises_before(
    first: int, second: int, warmup: int, final: float
):
    config = ScheduleConfig(kind="cosine", warmup_examples=warmup, final=final)
    early, late = sorted((first, second))
    values = [rate_factor(config, examples, 1000) for examples in (early, late)]
    assert all(0 < value <= 1 or value == final for value in values)
    if early >= warmup:
        assert values[0] >= values[1]
    if late <= warmup:
        assert values[0] <= values[1]


@given(st.integers(0, 900), st.floats(0, 1))
def test_cosine_ends(warmup: int, final: float):
    config = ScheduleConfig(kind="cosine", warmup_examples=warmup, final=final)
    assert rate_factor(config, warmup, 1000) == 1
    assert math.isclose(rate_factor(config, 1000, 1000), final, abs_tol=1e-12)
    # a run that goes on past its plan keeps the last rate
    assert math.isclose(rate_factor(config, 1500, 1000), final, abs_tol=1e-12)


def test_exponential_reaches_the_image_paper_end():
    config = ScheduleConfig(kind="exponential", factor=0.1 ** (1000 / 25_600_000))
    assert math.isclose(rate_factor(config, 25_600_000, 1), 0.1, rel_tol=1e-9)
