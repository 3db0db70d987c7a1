"""The layered encoder: memory, drawing, composition, and what holds for all of them together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.layered.composition import Composition
from pixelpush.vpn.layered.drawing import ArmDrawing, Drawing, drawing_errors
from pixelpush.vpn.layered.memory import empty, remember

THRESHOLD = 5.0


def layered(**overrides):
    return tiny_model("ot", encoder="layered", **overrides)


def level(value: int) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), value, dtype=torch.uint8)


def run(frames, hidden=None):
    """The memory after frames of one level each; hidden: where the arm is, a bool each."""
    memory = empty(1, 3, 2, 2, torch.device("cpu"))
    for value, covered in zip(frames, hidden or [False] * len(frames), strict=True):
        mask = torch.full((1, 1, 2, 2), covered)
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


def test_what_the_arm_hides_comes_back_as_it_was():
    covered = [False, False, True, True, True, False]
    assert run([100, 100, 20, 20, 20, 100], covered).mean.unique().tolist() == [100]
    # What was hidden from the start is taken as it is first seen.
    assert run([20, 20, 90], [True, True, False]).mean.unique().tolist() == [20]
    assert run([20, 90, 90], [True, False, False]).mean.unique().tolist() == [90]


def test_a_still_frame_stays_itself_to_the_last_bit():
    frame = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    memory = empty(2, 3, 8, 8, torch.device("cpu"))
    for _ in range(100):
        memory = remember(memory, frame, torch.zeros(2, 1, 8, 8, dtype=torch.bool), THRESHOLD)
    assert torch.equal(memory.mean, frame.float())


def test_step_after_step_is_forward():
    model = layered()
    frames, states, actions = tiny_video(model, length=6)
    vectors = model._vectors(states, actions)
    with torch.no_grad():
        features, centres = model.encoder(frames, vectors)
        carry = model.encoder.initial(2, torch.device("cpu"))
        for time in range(6):
            carry, feature, layers = model.encoder.step_layers(
                carry, frames[:, time], vectors[:, time]
            )
            torch.testing.assert_close(feature, features[:, time], rtol=0, atol=1e-4)
            torch.testing.assert_close(layers.centre, centres[:, time], rtol=0, atol=1e-3)


def test_the_drawing_sees_the_first_frame_and_no_later_one():
    model = layered()
    frames, states, actions = tiny_video(model, length=4)
    vectors = model._vectors(states, actions)

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
    vectors = model._vectors(states, actions)
    carry = model.encoder.initial(2, torch.device("cpu"))
    _, _, layers = model.encoder.step_layers(carry, frames[:, 0], vectors[:, 0])
    behind = layers.memory + layers.moved_mask * (layers.moved - layers.memory)
    # The network corrects a mask by a few logits; the blank one starts at -20.
    torch.testing.assert_close(layers.centre, behind, rtol=0, atol=0.2)


def test_a_new_composition_lays_half_of_the_last_frame_over_the_memory_and_the_mask_as_drawn():
    composition = Composition(4, patch=2)
    frame = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    memory = torch.full((1, 3, 8, 8), 50.0)
    drawn = Drawing(torch.full((1, 3, 8, 8), 200.0), torch.zeros(1, 1, 8, 8))
    layers = composition(torch.randn(1, 4, 4, 4), frame, memory, drawn)
    torch.testing.assert_close(layers.centre, torch.full((1, 3, 8, 8), (75.0 + 200.0) / 2))


def test_the_drawing_error_on_changed_pixels_counts_only_these():
    target = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    target[..., 0, 0] = 100
    behind = torch.zeros(1, 3, 4, 4)
    picture = torch.full((1, 3, 4, 4), 90.0)
    transparent = Drawing(picture, torch.full((1, 1, 4, 4), -100.0))
    composed, changed = drawing_errors(transparent, target, behind)
    assert composed.item() == pytest.approx(100 / 16)
    assert changed.item() == pytest.approx(10)


def test_a_drawing_learns_where_the_state_says_the_arm_is():
    """A white square on grey whose place is the state: the drawing alone must learn it."""
    torch.manual_seed(0)
    drawing = ArmDrawing(vector=2, colours=1, size=16, widths=(32, 16))
    optimizer = torch.optim.Adam(drawing.parameters(), 4e-3)

    def squares(count, seed):
        places = torch.randint(0, 13, (count, 2), generator=torch.Generator().manual_seed(seed))
        frames = torch.full((count, 1, 16, 16), 128, dtype=torch.uint8)
        for frame, (row, column) in zip(frames, places.tolist(), strict=True):
            frame[0, row : row + 4, column : column + 4] = 255
        return frames, places.float() / 6 - 1

    blank = torch.full((64, 1, 16, 16), 128, dtype=torch.uint8)
    for step in range(500):
        frames, places = squares(64, step)
        drawn = drawing(places, drawing.encode(blank))
        composed, changed = drawing_errors(drawn, frames, blank.float())
        optimizer.zero_grad()
        (composed + 0.2 * changed).backward()
        optimizer.step()
    frames, places = squares(64, 12345)
    with torch.no_grad():
        _, changed = drawing_errors(drawing(places, drawing.encode(blank)), frames, blank.float())
    assert changed < 40  # 127 of a grey picture


def test_history_changes_what_is_shown_and_not_what_is_scored():
    model = layered()
    frames, states, actions = tiny_video(model)
    plain = model.training_loss(frames, states, actions)
    same = model.training_loss(frames, states, actions, history=frames)
    other = model.training_loss(frames, states, actions, history=frames ^ 64)
    assert plain["nats_per_subpixel"] == same["nats_per_subpixel"]
    assert plain["nats_per_subpixel"] != other["nats_per_subpixel"]


def test_the_likelihood_does_not_teach_the_drawing_and_pairs_do():
    model = layered()
    frames, states, actions = tiny_video(model)
    model.training_loss(frames, states, actions)["loss"].backward()
    assert all(p.grad is None for p in model.encoder.drawing.parameters())
    pairs = frames[:, [0, 3]], states[:, 2:3], actions[:, 2:3]
    model.training_loss(frames, states, actions, pairs=pairs)["loss"].backward()
    assert all(p.grad is not None for p in model.encoder.drawing.parameters())


def test_frames_that_no_drawing_unfolds_to_are_refused():
    with pytest.raises(InputError, match="layered encoder draws frames of 8, 16"):
        layered(size=12)
    with pytest.raises(InputError, match="unknown encoder 'lstm'"):
        tiny_model("ot", encoder="lstm")
