"""The expected error of a distribution, and the likelihood that is lowered by it."""

import pytest
import torch
from tiny import tiny_video

from pixelpush.image.bernoulli import Bernoulli
from pixelpush.image.distributions import (
    IndependentLogisticMixture,
    LogisticMixture,
    PixelDistribution,
)
from pixelpush.image.expected_error import MeanPenalty, Penalised, penalised
from pixelpush.vpn import build_model
from pixelpush.vpn.decoders import KINDS


@pytest.mark.parametrize(
    ("kind", "colours"), [(LogisticMixture, 1), (IndependentLogisticMixture, 3)]
)
def test_the_closed_form_is_the_sum_over_all_levels(kind, colours):
    torch.manual_seed(0)
    # Per channel the logits, means and log-scales of four components, well inside of the range.
    parts = 0.1 * torch.randn(2, colours, 3, 4, 3, 5)
    parts[:, :, 2] -= 3
    distribution = kind(parts.flatten(1, 3), colours)
    pixels = torch.randint(90, 170, (2, colours, 3, 5)).byte()
    table = PixelDistribution.expected_error(distribution, pixels)
    torch.testing.assert_close(distribution.expected_error(pixels), table, rtol=0, atol=0.05)


def test_the_table_gives_a_bernoullis_error():
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    error = Bernoulli(torch.full((1, 1, 1, 2), 2.0)).expected_error(pixels)
    white = torch.sigmoid(torch.tensor(2.0))
    torch.testing.assert_close(error.flatten(), 255 * torch.stack((white, 1 - white)))


@pytest.mark.parametrize("kind", list(KINDS))
def test_all_decoders_score_less_by_the_weighted_errors_and_count_every_pixel_once(kind):
    torch.manual_seed(0)
    model = build_model(
        kind, frame_size=16, channels=8, lstm_channels=8, coarse_scales=0, encoder="layered"
    )
    frames, states, actions = tiny_video(model)
    target, features, centres = model.predicted(frames, states, actions, 2)
    plain = model.decode(target, features, centres)
    found = MeanPenalty()
    with penalised(model.decoder, 0.1, found):
        lowered = model.decoder.log_prob(
            target.flatten(0, 1), features.flatten(0, 1), centres.flatten(0, 1)
        )
    assert found.count == plain.numel()
    assert found.mean() > 0.1
    expected = plain.mean() - 3 * found.mean()
    torch.testing.assert_close(lowered.mean(), expected, rtol=1e-5, atol=1e-4)
    # The block is over, and the likelihood is itself again.
    assert torch.equal(model.decode(target, features, centres), plain)


@pytest.mark.parametrize("recompute", [False, True])
def test_a_loss_with_errors_reports_nats_without_them(recompute):
    def losses(weight):
        torch.manual_seed(0)
        model = build_model("ot", frame_size=16, channels=8, coarse_scales=0, error_weight=weight)
        model.set_checkpointing(recompute)
        terms = model(*tiny_video(model))
        terms["loss"].backward()
        gradient = model.decoder.groups.networks[0].enter.weight.grad
        return {name: float(value.detach()) for name, value in terms.items()}, gradient

    plain, without = losses(0.0)
    lowered, within = losses(0.5)
    assert lowered["nats_per_subpixel"] == pytest.approx(plain["nats_per_subpixel"], abs=1e-4)
    expected = plain["loss"] + lowered["error_penalty"]
    assert lowered["loss"] == pytest.approx(expected, rel=1e-5)
    assert not torch.equal(without, within)


def test_training_with_the_penalty_leaves_less_to_strays():
    """A pixel that departs from its level in 2% of all cases."""

    def strays(weight: float) -> float:
        torch.manual_seed(0)
        logits = torch.zeros(1, 2, 1, 1, requires_grad=True)
        optimiser = torch.optim.Adam([logits], lr=0.05)
        # Half a level wide at the truth, or 60 levels away.
        apart = torch.tensor([0.0, 60 / 127.5]).view(1, 2, 1, 1)
        scales = torch.full((1, 2, 1, 1), -5.5)
        right = torch.full((1, 1, 1, 1), 128, dtype=torch.uint8)
        for _ in range(300):
            parameters = torch.cat((logits, apart, scales), dim=1)
            mixture = Penalised(LogisticMixture(parameters, 1), weight, MeanPenalty())
            score = 0.98 * mixture.log_prob(right) + 0.02 * mixture.log_prob(right + 60)
            optimiser.zero_grad()
            (-score).sum().backward()
            optimiser.step()
        return torch.softmax(logits.detach(), dim=1)[0, 1].item()

    assert strays(0.0) == pytest.approx(0.02, abs=0.002)
    assert strays(0.15) < 0.007
