"""How far a pose that was read from a picture is from the true one (see ``vpn/pose_reader.py``)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PoseError:
    """Mean error of poses: centimetres of the place (x, y, z), radians of the yaw.

    >>> PoseError(1.0, 0.1).centimetres
    1.0
    """

    centimetres: float
    radians: float


def pose_error(read: Tensor, true: Tensor) -> PoseError:
    """The error of states (N, S) whose first three are metres and whose last is the yaw.

    Angles are compared around the circle.

    >>> pose_error(torch.zeros(1, 5), torch.tensor([[0.03, 0.04, 0.0, 0.0, 6.2831855]]))
    PoseError(centimetres=5.0, radians=0.0)
    """
    difference = read - true
    place = 100 * difference[:, :3].norm(dim=1).mean()
    yaw = torch.atan2(difference[:, -1].sin(), difference[:, -1].cos()).abs().mean()
    return PoseError(round(place.item(), 4), round(yaw.item(), 4))
