"""The stand-in device refuses and counts what a GPU would refuse or wait for."""

from __future__ import annotations

import pytest
import torch
from stand_in import DEVICE, MixedDevices, NotOnTheDevice, StandInTensor, held, stand_in


def test_tensors_of_two_devices_are_refused():
    with stand_in():
        here = torch.ones(3, device=DEVICE)
        with pytest.raises(MixedDevices, match="aten::add"):
            here + torch.ones(3)
        with pytest.raises(MixedDevices, match="aten::index"):
            here[torch.tensor([0])]
        assert isinstance(here + 1, StandInTensor)
        assert held(here + torch.tensor(2.0)).tolist() == [3, 3, 3]  # a CPU scalar is allowed


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.cpu(),
        lambda x: torch.zeros(3).copy_(x),
        lambda x: torch.equal(x, x),
        lambda x: x.index_put_((x > 0,), torch.tensor(0.0)),
    ],
)
def test_reads_by_the_host_are_counted(read):
    with stand_in() as watch:
        x = torch.ones(3, device=DEVICE)
        assert watch.reads.total() == 0
        read(x)
        assert watch.reads.total() >= 1


def test_copies_to_the_device_are_counted_and_writes_reach_the_tensor():
    with stand_in() as watch:
        x = torch.zeros(2, device=DEVICE)
        x[0].copy_(torch.tensor(4.0))
        x.add_(1)
        assert held(x).tolist() == [5, 1]
        assert watch.copies.total() == 1
        torch.ones(2).to(DEVICE)
        assert watch.copies.total() == 2
        assert watch.reads.total() == 0


def test_gradients_are_the_cpus():
    weight = torch.randn(3, 2, requires_grad=True)
    torch.tanh(weight).square().sum().backward()
    with stand_in():
        other = torch.nn.Parameter(weight.detach().to(DEVICE))
        torch.tanh(other).square().sum().backward()
        assert torch.equal(held(other.grad), weight.grad)


def test_float64_and_irreproducible_operations_are_refused():
    with stand_in():
        x = torch.ones(3, device=DEVICE)
        with pytest.raises(NotOnTheDevice, match="float64"):
            x.double()
        x.cumsum(0)
        torch.use_deterministic_algorithms(True)
        try:
            with pytest.raises(NotOnTheDevice, match="cumsum"):
                x.cumsum(0)
        finally:
            torch.use_deterministic_algorithms(False)
