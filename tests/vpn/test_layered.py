"""The layered encoder: memory, drawing, composition, and what holds for all of them together."""

from __future__ import annotations

import pytest
import torch
from layered_steps import step_after_step
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.layered.composition import Composition, Seen
from pixelpush.vpn.layered.drawing import ArmDrawing, Drawing, covered, drawing_errors
from pixelpush.vpn.layered.memory import empty, remember

THRESHOLD = 5.0


def layered(**overrides):
    return tiny_model("ot", encoder="layered", **overrides)


def level(value: int) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), value, dtype=torch.uint8)


def run(frames, hidden=None):
    """The memory after frames of one level each; hidden: where the arm is, a bool each."""
    memory = empty(1, 3, 2, 2, torch.device("cpu"))
    for value, behind_arm in zip(frames, hidden or [False] * len(frames), strict=True):
        mask = torch.full((1, 1, 2, 2), behind_arm)
        memory = remember(memory, level(value), mask, THRESHOLD)
    return memory


def test_memory_is_the_mean_of_what_agrees():
    assert run([100, 102, 104]).mean.unique().tolist() == [102]
    assert run([100, 102, 104]).count.unique().tolist() == [3]


def test_a_stray_reading_is_forgotten_and_a_lasting_one_taken():
    assert run([100, 100, 180, 100]).mean.unique().tolist() == [100]
    assert run([100, 100, 180, 181]).mean.unique().tolist() == [181]
    # Two strays that differ from each other are two strays.
    assert run([100, 100, 180, 30, 100]).mean.unique().tolist() == [100]


def test_what_was_replaced_is_kept_and_one_reading_brings_it_back():
    replaced = run([100, 100, 100, 180, 180])
    assert replaced.former.unique().tolist() == [100]
    assert replaced.former_count.unique().tolist() == [3]
    back = run([100, 100, 100, 180, 180, 100])
    assert back.mean.unique().tolist() == [100]
    assert back.count.unique().tolist() == [4]
    assert back.former.unique().tolist() == [180]
    # Of two pictures that were replaced the one with more readings is kept.
    twice = run([100, 100, 100, 180, 180, 30, 30])
    assert twice.mean.unique().tolist() == [30]
    assert twice.former.unique().tolist() == [100]
    # Behind the arm nothing comes back.
    hidden = run([100, 100, 180, 180, 100], [False] * 4 + [True])
    assert hidden.mean.unique().tolist() == [180]


def test_what_the_arm_hides_comes_back_as_it_was():
    covered = [False, False, True, True, True, False]
    assert run([100, 100, 20, 20, 20, 100], covered).mean.unique().tolist() == [100]
    # What was hidden from the start is not known until it is first seen.
    assert run([20, 20], [True, True]).count.unique().tolist() == [0]
    assert run([20, 20, 90], [True, True, False]).mean.unique().tolist() == [90]
    assert run([20, 20, 90], [True, True, False]).count.unique().tolist() == [1]


def test_a_still_frame_stays_itself_to_the_last_bit():
    frame = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    memory = empty(2, 3, 8, 8, torch.device("cpu"))
    for _ in range(100):
        memory = remember(memory, frame, torch.zeros(2, 1, 8, 8, dtype=torch.bool), THRESHOLD)
    assert torch.equal(memory.mean, frame.float())


def test_step_after_step_is_forward():
    model = layered()
    step_after_step(model, levels=1e-3)


def test_the_drawing_sees_the_first_frame_and_no_later_one():
    model = layered()
    frames, states, actions = tiny_video(model, length=4)
    vectors = model.vectors(states, actions)

    def drawn(frames):
        carry, pictures = model.encoder.initial(2, torch.device("cpu")), []
        for time in range(4):
            carry, _, layers = model.encoder.step_layers(carry, frames[:, time], vectors[:, time])
            pictures.append(layers.arm)
        return torch.stack(pictures)

    with torch.no_grad():
        before = drawn(frames)
        later = frames.clone()
        later[:, 1:] ^= 255
        first = frames.clone()
        first[:, 0] ^= 255
        assert torch.equal(drawn(later), before)
        assert not torch.equal(drawn(first), before)


def test_without_a_state_nothing_is_drawn():
    model = layered(state_dim=0)
    assert model.encoder.drawing is None
    frames, states, actions = tiny_video(model)
    vectors = model.vectors(states, actions)
    carry = model.encoder.initial(2, torch.device("cpu"))
    _, _, layers = model.encoder.step_layers(carry, frames[:, 0], vectors[:, 0])
    behind = layers.memory + layers.moved_mask * (layers.moved - layers.memory)
    # The network corrects a mask by a few logits; the blank one starts at -20.
    torch.testing.assert_close(layers.centre, behind, rtol=0, atol=0.2)


def composed(
    known: bool,
    arm: bool,
    shade: float = 1.0,
    next_shade: float = 1.0,
    doubt: float = -99.0,
    returns: float | None = None,
):
    """A composition of a frame at 100, a memory at 50 and a mask at a half of a 200.

    doubt: logits by which the memory is doubted more than by a new network; it fills with 127.5.
    returns: the same for what the memory held before, 80; None where it held nothing."""
    composition = Composition(4, patch=2, colours=3)
    with torch.no_grad():
        composition.leave.bias[-8:-4] = doubt
        composition.leave.bias[-4:] = returns or 0.0
    one = torch.ones(1, 1, 8, 8)
    frame = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    memory = torch.full((1, 3, 8, 8), 50.0)
    drawn = Drawing(torch.full((1, 3, 8, 8), 200.0), 0 * one, next_shade * one)
    former = torch.full_like(memory, 80.0), one * (returns is not None)
    seen = Seen(frame, memory, one * known, *former, one > (0 if arm else 1), shade * one)
    return composition(torch.randn(1, 4, 4, 4), seen, drawn)


def test_a_new_composition_lays_half_of_the_last_frame_over_the_memory_and_the_mask_as_drawn():
    assert composed(known=True, arm=False).centre.unique().tolist() == [(75 + 200) / 2]


def test_the_arm_is_taken_out_of_the_frame_that_moves_and_an_unknown_memory_is_filled():
    layers = composed(known=True, arm=True)
    assert layers.moved.unique().tolist() == [50]
    layers = composed(known=False, arm=True)
    assert layers.memory.unique().tolist() == layers.moved.unique().tolist() == [127.5]
    # Where the arm was not, the last frame is what is known.
    assert composed(known=False, arm=False).memory.unique().tolist() == [100]


def test_what_is_known_can_be_doubted_but_a_new_network_hardly_does():
    for known, level in ((True, 50), (False, 100)):
        assert composed(known, arm=False, doubt=99).memory.unique().tolist() == [127.5]
        new = composed(known, arm=False, doubt=0).memory.unique().item()
        assert new != level
        assert new == pytest.approx(level, abs=0.2)


def test_what_the_memory_held_before_can_come_back_but_a_new_network_hardly_brings_it():
    assert composed(known=True, arm=False, returns=99).memory.unique().tolist() == [80]
    new = composed(known=True, arm=False, returns=0).memory.unique().item()
    assert 50 < new < 51
    # Where nothing was replaced there is nothing to bring back.
    assert composed(known=True, arm=False).memory.unique().tolist() == [50]


def test_the_shadow_is_taken_out_of_the_last_frame_and_laid_over_the_next():
    layers = composed(known=True, arm=False, shade=0.5)
    assert layers.moved.unique().tolist() == [200]
    layers = composed(known=True, arm=False, next_shade=0.5)
    # The memory and the last frame, half each, in the shadow; then half of the arm over them.
    assert layers.centre.unique().tolist() == [(0.5 * (50 + 100) / 2 + 200) / 2]


def test_a_shadow_covers_nothing_and_whatever_has_other_colours_does():
    behind = torch.tensor([120, 90, 60], dtype=torch.uint8).view(1, 3, 1, 1)

    def covers(*levels):
        return covered(torch.tensor(levels, dtype=torch.uint8).view(1, 3, 1, 1), behind).item()

    assert not covers(120, 90, 60)
    assert not covers(126, 96, 66)  # noise
    assert not covers(72, 54, 36)  # a shadow
    assert covers(24, 18, 12)  # too dark for one
    assert covers(160, 120, 80)  # light
    assert covers(60, 60, 90)  # another colour


def test_a_drawing_is_judged_where_the_arm_covers_something():
    target = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    target[..., 0, 0] = 100
    behind = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    picture = torch.full((1, 3, 4, 4), 90.0)
    transparent = Drawing(picture, torch.full((1, 1, 4, 4), -100.0), torch.ones(1, 1, 4, 4))
    errors = drawing_errors(transparent, target, behind)
    assert errors.composed.item() == pytest.approx(100 / 16)
    assert errors.covered.item() == pytest.approx(10)
    assert errors.mask.item() == pytest.approx(100 / 16)


def squares(places, colours=1, size=16):
    """A white square on grey at each of the places, (N, 2) whole rows and columns."""
    frames = torch.full((len(places), colours, size, size), 128, dtype=torch.uint8)
    for frame, (row, column) in zip(frames, places.tolist(), strict=True):
        frame[:, row : row + 4, column : column + 4] = 255
    return frames


def test_a_drawing_learns_where_the_state_says_the_arm_is():
    """A white square whose place is the state: the drawing alone must learn picture and mask."""
    torch.manual_seed(0)
    drawing = ArmDrawing(vector=2, colours=1, size=16, widths=(32, 16), spots=16)
    optimizer = torch.optim.Adam(drawing.parameters(), 3e-3)
    behind = torch.full((32, 1, 16, 16), 128, dtype=torch.uint8)

    def lesson(seed):
        generator = torch.Generator().manual_seed(seed)
        places = torch.randint(0, 13, (32, 2), generator=generator)
        code = drawing.encode(behind)
        drawn = drawing(places.float() / 6 - 1, code, drawing.begin(code))
        return drawn, squares(places)

    for step in range(200):
        drawn, frames = lesson(step)
        errors = drawing_errors(drawn, frames, behind)
        optimizer.zero_grad()
        loss = errors.composed + 0.2 * errors.covered + errors.shaded + 2 * errors.mask
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        drawn, frames = lesson(12345)
    assert drawing_errors(drawn, frames, behind).covered < 30  # 127 of a grey picture
    square = frames == 255
    mask = torch.sigmoid(drawn.logit)
    assert mask[square].mean() > 0.7
    assert mask[~square].mean() < 0.2


def test_poses_tell_the_ways_of_an_arm_apart_and_do_not_see_the_future():
    drawing = ArmDrawing(vector=2, colours=1, size=16, widths=(8, 4))
    code = torch.randn(1, 32)
    there = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.5, 0.5]]])
    back = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [0.5, 0.5]]])
    one, other = drawing.poses(code, there), drawing.poses(code, back)
    assert torch.equal(one[:, 0], other[:, 0])
    assert not torch.equal(one[:, 2], other[:, 2])


def test_history_changes_what_is_shown_and_not_what_is_scored():
    model = layered()
    frames, states, actions = tiny_video(model)
    plain = model.training_loss(frames, states, actions)
    same = model.training_loss(frames, states, actions, history=frames)
    other = model.training_loss(frames, states, actions, history=frames ^ 64)
    assert plain["nats_per_subpixel"] == same["nats_per_subpixel"]
    assert plain["nats_per_subpixel"] != other["nats_per_subpixel"]


def test_the_likelihood_does_not_teach_the_drawing_and_lessons_do():
    model = layered()
    frames, states, actions = tiny_video(model)
    model.training_loss(frames, states, actions)["loss"].backward()
    assert all(p.grad is None for p in model.encoder.drawing.parameters())
    times = torch.zeros(len(frames), 1, dtype=torch.long)
    lesson = frames[:, 0], states, actions, times, frames[:, 1:2], frames[:, 2]
    model(lesson=lesson)["loss"].backward()
    assert all(p.grad is not None for p in model.encoder.drawing.parameters())
    rest = [p for n, p in model.named_parameters() if not n.startswith("encoder.drawing.")]
    before = [None if p.grad is None else p.grad.clone() for p in rest]
    model(frames, states, actions, lesson=lesson)["loss"].backward()
    assert any(a is None or not torch.equal(a, p.grad) for a, p in zip(before, rest, strict=True))


def test_frames_that_no_drawing_unfolds_to_are_refused():
    with pytest.raises(InputError, match="layered encoder draws frames of 8, 16"):
        layered(size=12)
    with pytest.raises(InputError, match="unknown encoder 'lstm'"):
        tiny_model("ot", encoder="lstm")
