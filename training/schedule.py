"""The learning rate as a function of the examples seen: one small class per schedule."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pixelpush.registry import Registry
from pixelpush.settings import check_at_most, check_not_negative, check_positive


@dataclass(frozen=True)
class ScheduleConfig:
    """Settings of a schedule; each class of SCHEDULES takes what it needs.

    kind: a name of SCHEDULES. warmup_examples: under every schedule the rate rises
    linearly from 0 over these. drops, factor: see ``Steps`` and ``Exponential``. final: see
    ``Cosine``.
    Raises InputError for an unknown kind and for a value out of bounds.

    >>> ScheduleConfig("steps", drops=(100, 200), factor=0.1).warmup_examples
    0
    """

    kind: str = "constant"
    warmup_examples: int = 0
    drops: tuple[int, ...] = ()
    factor: float = 1.0
    final: float = 0.0

    def __post_init__(self):
        check_not_negative(self, "warmup_examples", "final")
        check_positive(self, "factor")
        check_at_most(self, 1, "final", "factor")
        SCHEDULES.find(self.kind)


class Schedule(ABC):
    """What the base learning rate is multiplied by, as a function of the examples seen.

    factor(n) = min(1, (n + 1) / (w + 1)) decay(n),   w the examples of the warm-up

    A subclass writes ``decay`` and says whether it ``depends_on_length``: whether another planned
    length would have changed the rates so far. One that does not say so raises TypeError.

    >>> config = ScheduleConfig("cosine", warmup_examples=9)
    >>> [make_schedule(config).factor(examples, planned=29) for examples in (0, 9, 19)]
    [0.1, 1.0, 0.5]
    """

    depends_on_length: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        if not hasattr(cls, "depends_on_length"):
            raise TypeError(f"{cls.__name__} does not say whether it depends_on_length")

    def __init__(self, config: ScheduleConfig):
        self.config = config

    def factor(self, examples: int, planned: int) -> float:
        """Return the factor for the batch that starts after ``examples`` of ``planned``."""
        warmup = self.config.warmup_examples
        # n + 1, so that the first batch already moves the weights.
        rise = 1.0 if examples >= warmup else (examples + 1) / (warmup + 1)
        return rise * self.decay(examples, planned)

    @abstractmethod
    def decay(self, examples: int, planned: int) -> float:
        """Return the factor without the warm-up."""


class Constant(Schedule):
    """decay(n) = 1.

    >>> Constant(ScheduleConfig()).decay(5, planned=10)
    1.0
    """

    depends_on_length = False

    def decay(self, examples: int, planned: int) -> float:
        return 1.0


class Steps(Schedule):
    """decay(n) = factor^(number of drops at or before n); drops are counted in examples.

    >>> config = ScheduleConfig("steps", drops=(100, 200), factor=0.5)
    >>> [Steps(config).decay(examples, planned=300) for examples in (99, 100, 200)]
    [1.0, 0.5, 0.25]
    """

    depends_on_length = False

    def decay(self, examples: int, planned: int) -> float:
        return self.config.factor ** sum(examples >= drop for drop in self.config.drops)


class Exponential(Schedule):
    """decay(n) = factor^(n / 1000).

    >>> Exponential(ScheduleConfig("exponential", factor=0.5)).decay(2000, planned=3000)
    0.25
    """

    depends_on_length = False

    def decay(self, examples: int, planned: int) -> float:
        return self.config.factor ** (examples / 1000)


class Cosine(Schedule):
    """Half a cosine from 1 at the end of the warm-up to ``final`` at the end of the plan.

    decay(n) = final + (1 - final) (1 + cos(pi p)) / 2,   p = (n - w) / (planned - w) in [0, 1]

    >>> Cosine(ScheduleConfig("cosine", final=0.5)).decay(10, planned=10)
    0.5
    """

    depends_on_length = True

    def decay(self, examples: int, planned: int) -> float:
        begin = min(self.config.warmup_examples, planned)
        done = (examples - begin) / max(planned - begin, 1)
        done = min(max(done, 0.0), 1.0)
        final = self.config.final
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))


SCHEDULES: Registry[type[Schedule]] = Registry(
    "schedule",
    {"constant": Constant, "steps": Steps, "cosine": Cosine, "exponential": Exponential},
)


def make_schedule(config: ScheduleConfig) -> Schedule:
    """Return the configured schedule.

    >>> make_schedule(ScheduleConfig("cosine")).depends_on_length
    True
    """
    return SCHEDULES.find(config.kind)(config)
