"""How each optimiser is built from its settings: one small class each. No torch is imported here.

``training/optimizer.py`` builds the configured optimiser and has the implementations of our own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pixelpush.errors import InputError
from pixelpush.registry import Registry
from pixelpush.settings import check_at_most, check_not_negative, check_positive


@dataclass(frozen=True)
class OptimizerConfig:
    """Settings of an optimiser; each class of OPTIMIZERS takes what it needs.

    name: a name of OPTIMIZERS. learning_rate: the highest one; the schedule multiplies it. betas:
    Adam's. decay: of RMSprop's averages. momentum: Muon's. epsilon: of all. weight_decay: of muon
    and adamw, on matrices and filters only. clip_norm: largest norm of the whole gradient; 0 turns
    clipping off. Raises InputError for an unknown name and for a value out of bounds.

    >>> OptimizerConfig("muon", learning_rate=2e-3).momentum
    0.95
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    decay: float = 0.95
    momentum: float = 0.95
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float = 0.0

    def __post_init__(self):
        OPTIMIZERS.find(self.name)
        check_positive(self, "learning_rate", "epsilon")
        check_not_negative(self, "weight_decay", "clip_norm")
        # Beyond it an update overflows float32 before the loss can show it.
        check_at_most(self, 1e6, "learning_rate", "epsilon", "weight_decay")
        if len(self.betas) != 2 or not all(
            0 <= beta < 1 for beta in (*self.betas, self.decay, self.momentum)
        ):
            given = f"{self.betas}, {self.decay} and {self.momentum}"
            raise InputError(f"betas (two), decay and momentum must be in [0, 1), got {given}.")


class OptimizerRecipe(ABC):
    """How an optimiser is built.

    implementation: 'module:Class' of a torch optimiser whose first arguments are the parameters and
    ``lr``; it is imported when a run begins. decays_weights: whether ``weight_decay`` is used: on
    matrices and filters, never on vectors. A subclass that does not say both raises TypeError.

    >>> OPTIMIZERS["muon"].implementation
    'pixelpush.training.optimizer:Muon'
    """

    implementation: ClassVar[str]
    decays_weights: ClassVar[bool]

    def __init_subclass__(cls) -> None:
        for name in ("implementation", "decays_weights"):
            if not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} does not say its {name}")

    @abstractmethod
    def arguments(self, config: OptimizerConfig) -> Mapping[str, Any]:
        """Return the optimiser's arguments beside the parameters, ``lr`` and weight decay."""


class MuonRecipe(OptimizerRecipe):
    """Muon for filters, AdamW for everything else.

    >>> dict(MuonRecipe().arguments(OptimizerConfig("muon", momentum=0.9)))["momentum"]
    0.9
    """

    implementation = "pixelpush.training.optimizer:Muon"
    decays_weights = True

    def arguments(self, config: OptimizerConfig) -> Mapping[str, Any]:
        return {
            "momentum": config.momentum,
            "betas": config.betas,
            "epsilon": config.epsilon,
        }


class AdamWRecipe(OptimizerRecipe):
    """AdamW.

    >>> dict(AdamWRecipe().arguments(OptimizerConfig("adamw")))
    {'betas': (0.9, 0.99), 'eps': 1e-08}
    """

    implementation = "torch.optim:AdamW"
    decays_weights = True

    def arguments(self, config: OptimizerConfig) -> Mapping[str, Any]:
        return {"betas": config.betas, "eps": config.epsilon}


class AdamRecipe(AdamWRecipe):
    """Adam, without weight decay.

    >>> AdamRecipe().decays_weights
    False
    """

    implementation = "torch.optim:Adam"
    decays_weights = False


class RMSpropRecipe(OptimizerRecipe):
    """The papers' RMSprop: centred, with epsilon inside the root as in TensorFlow.

    >>> dict(RMSpropRecipe().arguments(OptimizerConfig("rmsprop")))
    {'decay': 0.95, 'epsilon': 1e-08}
    """

    implementation = "pixelpush.training.optimizer:CentredRMSprop"
    decays_weights = False

    def arguments(self, config: OptimizerConfig) -> Mapping[str, Any]:
        return {"decay": config.decay, "epsilon": config.epsilon}


OPTIMIZERS: Registry[OptimizerRecipe] = Registry(
    "optimizer",
    {
        "muon": MuonRecipe(),
        "adamw": AdamWRecipe(),
        "adam": AdamRecipe(),
        "rmsprop": RMSpropRecipe(),
    },
)
