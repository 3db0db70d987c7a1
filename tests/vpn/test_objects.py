"""Objects with ways of their own: slots, sprites, and the laws of a model that has them."""

from __future__ import annotations

import pytest
import torch
from layered_steps import step_after_step
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.layered.dynamics import outline_of
from pixelpush.vpn.layered.memory import empty, remember
from pixelpush.vpn.layered.objects import Objects, leave, paint, ways
from pixelpush.vpn.layered.slots import Slots, group
from pixelpush.vpn.layered.whole import whole_targets
from pixelpush.vpn.own_past import OwnPast

CPU = torch.device("cpu")
# In a frame of 16 pixels: columns and rows of two squares, and their places.
SQUARES = ((slice(2, 6), slice(3, 7)), (slice(9, 13), slice(8, 13)))
PLACES = ((3.5, 4.5), (10.5, 10.0))


def with_objects(**overrides):
    """A tiny model that sees an object in every peak of noise, and pushes them far."""
    model = tiny_model("ot", size=16, encoder="layered", objects=3, **overrides)
    with torch.no_grad():
        model.encoder.objects.slots.out.bias.view(5, 4)[2] += 4
        model.encoder.objects.dynamics.out[-1].weight *= 4
    return model


def squares() -> Slots:
    mask = torch.zeros(1, 2, 16, 16)
    for number, (columns, rows) in enumerate(SQUARES):
        mask[0, number, rows, columns] = 1
    return Slots(torch.tensor([PLACES]), torch.ones(1, 2), mask)


def objects(shift: tuple[float, float] = (0.0, 0.0)) -> Objects:
    """Two squares at 200 on a floor at 100; the first has moved by ``shift``."""
    found = squares()
    place = found.place.clone()
    place[0, 0] += torch.tensor(shift)
    lit = 100 + 100 * found.mask.sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    left = torch.tensor([[float(shift != (0.0, 0.0)), 0.0]])
    outline = outline_of(found)
    return Objects(found, place, place, place, outline, lit, left)


def test_votes_that_fall_together_are_a_slot():
    logits = torch.tensor([9.0, -9.0, -9.0]).view(1, 3, 1, 1).repeat(1, 1, 16, 16)
    votes = torch.zeros(1, 2, 16, 16)
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    for mask, (x, y) in zip(squares().mask[0].bool(), PLACES, strict=True):
        logits[0, 2, mask] = 40.0
        votes[0, 0, mask] = x - columns[mask]
        votes[0, 1, mask] = y - rows[mask]
    found = group(logits, votes, most=4)
    assert found.alive.sum() == 2
    alive = found.alive[0] > 0
    place, mask = found.place[0, alive], found.mask[0, alive]
    order = place[:, 0].argsort()
    torch.testing.assert_close(place[order], torch.tensor(PLACES), rtol=0, atol=1e-3)
    torch.testing.assert_close(mask[order], squares().mask[0], rtol=0, atol=1e-3)
    assert not found.mask[0, ~alive].any()


def test_what_has_not_left_its_home_is_not_painted():
    picture, mask = paint(objects())
    assert not mask.any()
    assert not picture.any()


def test_a_sprite_moves_by_fractions_of_a_pixel():
    picture, mask = paint(objects((2.0, 0.5)))
    assert mask[0, 0, 3].tolist()[4:8] == [0.5] * 4
    assert mask[0, 0, 5].tolist()[3:9] == [0, 1, 1, 1, 1, 0]
    torch.testing.assert_close(picture, 200 * mask.expand(-1, 3, -1, -1))
    assert mask[0, 0, 8:, 9:].sum() == 0  # the other square rests


def test_the_memory_forgets_what_has_left_and_keeps_what_rests():
    before, after = objects(), objects((3.0, 0.0))
    frame = before.lit.byte()
    memory = remember(empty(1, 3, 16, 16, CPU), frame, torch.zeros(1, 1, 16, 16) > 0, 5)
    left = leave(memory, before, after)
    home, other = squares().mask[:, :1].bool(), squares().mask[:, 1:].bool()
    assert left.mean[home.expand(-1, 3, -1, -1)].round().unique().tolist() == [100]
    assert left.mean[other.expand(-1, 3, -1, -1)].unique().tolist() == [200]
    assert torch.equal(leave(memory, after, after).mean, memory.mean)  # it has left before


def test_labels_lead_the_slots_beside_them():
    label = torch.full((1, 3, 3, 2), torch.nan)
    label[0, :, 0] = torch.tensor([[10.0, 9.0], [11.0, 9.0], [14.0, 8.0]])
    told = ways(squares(), label)
    assert told[0, :, 0].unique(dim=0).tolist() == [list(PLACES[0])]
    assert (told[0, :, 1] - told[0, 0, 1]).tolist() == [[0, 0], [1, 0], [4, -1]]


def test_step_after_step_is_forward_and_objects_do_move():
    model = with_objects()
    carry, layers = step_after_step(model, levels=1e-2)
    assert carry.objects.found.alive.sum(dim=1).min() >= 1
    assert carry.objects.left.any()
    assert layers.objects_mask.max() > 0.1


def test_sampler_is_scorer():
    model = with_objects()
    frames, states, actions = tiny_video(model, length=6)
    rollout = model.rollout(frames[:, :2], states, actions)
    video = torch.cat((frames[:, :2], rollout.frames), dim=1)
    with torch.no_grad():
        scored = model.log_prob(video, states, actions)
    torch.testing.assert_close(rollout.log_prob, scored, rtol=0, atol=2e-3)


def test_scores_do_not_depend_on_the_batch_or_the_future():
    model = with_objects()
    frames, states, actions = tiny_video(model, batch=3, length=6)
    with torch.no_grad():
        together = model.log_prob(frames, states, actions)
        alone = model.log_prob(frames[1:2], states[1:2], actions[1:2])
        later = frames.clone()
        later[:, 4:] ^= 255
        changed = model.log_prob(later, states, actions)
    torch.testing.assert_close(together[1:2], alone, rtol=0, atol=2e-3)
    assert torch.equal(changed[:, :2], together[:, :2])
    assert not torch.equal(changed[:, 2], together[:, 2])


def test_told_ways_are_taken_and_labels_are_for_training_alone():
    model = with_objects()
    frames, states, actions = tiny_video(model, length=5)
    with torch.no_grad():
        _, _, led = model.predicted(frames, states, actions, 2)
        nowhere = torch.full((2, 5, 1, 2), torch.nan)
        _, _, told = model.predicted(frames, states, actions, 2, nowhere)
        past, objects = model.encoder._past(
            frames[:, :-1], model.vectors(states, actions)[:, :-1], nowhere
        )
    assert not torch.equal(led, told)
    assert torch.equal(objects[-1].place, objects[0].found.place)  # what is told to stay stays
    assert not any(painted.any() for painted in past.painted)


def test_in_its_own_pasts_objects_stay_whole():
    model = with_objects()
    frames, states, actions = tiny_video(model, length=5)
    objects = model.encoder.whole_objects(frames[:, :-1], model.vectors(states, actions)[:, :-1])
    nothing = torch.zeros(2, 4, 16, 16, dtype=torch.bool)
    targets, unlearnt = whole_targets(objects, frames[:, 1:], nothing)
    covered = ((objects.mask > 0.5) & (objects.arm < 0.2))[:, :, 0]
    assert covered.any()
    assert not (covered & unlearnt).any()
    away = (targets.float() - objects.sprites).abs().amax(dim=2)
    assert away[covered].max() <= 4  # six deviations of the noise
    elsewhere = ~covered[:, :, None].expand_as(targets)
    assert torch.equal(targets[elsewhere], frames[:, 1:][elsewhere])
    assert unlearnt[(objects.homes > 0.1) & ~covered & (objects.arm < 0.5)[:, :, 0]].all()


def test_own_pasts_teach_every_weight_but_those_of_the_objects():
    model = with_objects().train()
    clip = tiny_video(model, length=5)
    unlearnt = torch.zeros(2, 5, 16, 16, dtype=torch.bool)
    model.training_loss(*clip, history=OwnPast(unlearnt))["loss"].backward()
    for name, weight in model.encoder.named_parameters():
        apart = name.startswith(("objects.", "drawing."))
        assert (weight.grad is None) == apart, name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objects": 4, "encoder": "convlstm"}, "encoder=layered"),
        ({"objects": 4, "encoder": "layered", "state_dim": 0}, "with states"),
        ({"objects": 4, "encoder": "layered", "size": 8}, "16 pixels"),
        ({"objects": 65, "encoder": "layered"}, "objects"),
    ],
)
def test_objects_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        tiny_model("ot", **settings)
