"""The learning rate as a function of the examples seen."""

from __future__ import annotations

import math

from pixelpush.training.config import ScheduleConfig


def rate_factor(config: ScheduleConfig, examples: int, planned: int) -> float:
    """What the base learning rate is multiplied by for the batch that starts after ``examples`` of
    ``planned``."""
    warmup = (
        1.0 if examples >= config.warmup_examples else (examples + 1) / (config.warmup_examples + 1)
    )
    if config.kind == "steps":
        return warmup * config.factor ** sum(examples >= drop for drop in config.drops)
    if config.kind == "exponential":
        return warmup * config.factor ** (examples / 1000)
    if config.kind == "cosine":
        begin = min(config.warmup_examples, planned)
        done = (examples - begin) / max(planned - begin, 1)
        done = min(max(done, 0.0), 1.0)
        return warmup * (config.final + (1 - config.final) * 0.5 * (1 + math.cos(math.pi * done)))
    return warmup


def depends_on_length(config: ScheduleConfig) -> bool:
    """Whether another planned length would have changed the rates so far."""
    return config.kind == "cosine"
