"""Next arm state from state and action, for planning: the future's actions are known, its states
are not."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StatePredictor(nn.Module):
    """A small residual network on normalised vectors: (N, S), (N, A) -> (N, S), one step ahead.

    >>> StatePredictor(state_dim=2, action_dim=1)(torch.ones(1, 2), torch.zeros(1, 1)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, state_dim: int, action_dim: int, hidden: int = 64):
        super().__init__()
        self.linear = nn.Linear(state_dim + action_dim, state_dim)
        self.network = nn.Sequential(
            nn.Linear(state_dim + action_dim, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
        )
        self.out = nn.Linear(hidden, state_dim)
        for layer in (self.linear, self.out):  # start at 'the state stays'
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        # float32 throughout: a rollout feeds predictions back in.
        with torch.autocast(states.device.type, enabled=False):
            inputs = torch.cat((states, actions), dim=-1).float()
            # s' = s + A (s, a) + f(s, a): linear arms are learned by A alone, f adds what bends.
            return states.float() + self.linear(inputs) + self.out(self.network(inputs))
