"""What training a Video Pixel Network minimises: the nats of a clip, and the errors beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from pixelpush.image.expected_error import MeanPenalty
from pixelpush.vpn.layered.drawing import DrawingLesson, drawing_errors
from pixelpush.vpn.layered.encoder import LayeredEncoder
from pixelpush.vpn.layered.object_lesson import ObjectLesson, object_errors
from pixelpush.vpn.layered.whole import whole_targets

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork

# Weight of the drawing's error beside the nats, per level; and of its parts beside the composed
# picture's error: the last in levels per nat.
DRAWING_WEIGHT = 0.1
COVERED_WEIGHT = 0.2
SHADED_WEIGHT = 1.0
MASK_WEIGHT = 2.0


class Past(NamedTuple):
    """What a model is shown in the place of the true past, and what is not learnt from it.

    shown: uint8 (B, T, C, H, W), None for the true frames. unlearnt: bool (B, T, H, W), pixels
    whose scores have no gradient, None for none. labels: (B, T, N, 2), the places of objects, which
    objects of the model's own then follow.

    >>> Past().shown is None
    True
    """

    shown: Tensor | None = None
    unlearnt: Tensor | None = None
    labels: Tensor | None = None


def training_loss(
    model: VideoPixelNetwork,
    clip: tuple[Tensor, Tensor, Tensor],
    context: int,
    past: Past,
    lesson: DrawingLesson | None,
) -> dict[str, Tensor]:
    """Return what ``VideoPixelNetwork.training_loss`` does, which describes the arguments.

    clip: frames, states, actions.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> clip = torch.zeros(1, 4, 3, 8, 8).byte(), torch.zeros(1, 4, 5), torch.zeros(1, 4, 5)
    >>> sorted(training_loss(model, clip, context=2, past=Past(), lesson=None))
    ['loss', 'nats_per_subpixel', 'state_error']
    """
    frames, states, actions = clip
    shown = frames if past.shown is None else past.shown
    _, features, centres = model.predicted(shown, states, actions, context, past.labels)
    if model.config.objects and past.unlearnt is not None:
        frames, past = _kept_whole(model, (shown, states, actions), frames, past)
    target = frames[:, context:]
    errors = {"state_error": state_error(model, states, actions)}
    found = MeanPenalty() if model.config.error_weight else None
    scores = _learnt(model.decode(target, features, centres, found), past, context)
    nats = -scores.mean() / model.config.colours
    loss = nats + errors["state_error"]
    if found is not None:
        errors["error_penalty"] = found.mean()
        nats = nats - errors["error_penalty"]
    if model.config.composes and centres is not None:
        distance = (centres - target.float()).abs().mean(dim=2)
        errors["motion_error"] = _learnt(distance, past, context).mean()
        loss = loss + model.config.motion_weight * errors["motion_error"]
    if lesson is not None:
        drawn, errors["drawing_error"] = drawing_loss(model, lesson)
        loss = loss + DRAWING_WEIGHT * drawn
    return {
        "loss": loss,
        "nats_per_subpixel": nats.detach(),
        **{k: v.detach() for k, v in errors.items()},
    }


def _kept_whole(
    model: VideoPixelNetwork, shown: tuple[Tensor, Tensor, Tensor], frames: Tensor, past: Past
) -> tuple[Tensor, Past]:
    """Frames in which objects stay whole along the ways that the model leads them in what is shown
    (frames, states, actions), and a past in which their homes and edges teach nothing."""
    assert isinstance(model.encoder, LayeredEncoder)
    assert past.unlearnt is not None
    before, states, actions = (part[:, :-1] for part in shown)
    whole = model.encoder.whole_objects(before, model.vectors(states, actions))
    later, unlearnt = whole_targets(whole, frames[:, 1:], past.unlearnt[:, 1:])
    unlearnt = torch.cat((past.unlearnt[:, :1], unlearnt), dim=1)
    return torch.cat((frames[:, :1], later), dim=1), past._replace(unlearnt=unlearnt)


def _learnt(values: Tensor, past: Past, context: int) -> Tensor:
    """Values (B, T - context, H, W) of pixels, without a gradient where nothing is learnt.

    They stay as they are, so that figures are of all pixels."""
    if past.unlearnt is None:
        return values
    return torch.where(past.unlearnt[:, context:], values.detach(), values)


def drawing_loss(model: VideoPixelNetwork, lesson: DrawingLesson) -> tuple[Tensor, Tensor]:
    """Return (loss of the drawing alone, its distance in levels where the arm is).

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=16, coarse_scales=0, encoder="layered")
    >>> grey = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    >>> taught = torch.zeros(1, 4, 5), torch.zeros(1, 4, 5), torch.zeros(1, 1).long()
    >>> loss, error = drawing_loss(model, model.drawing_lesson(grey, *taught, grey[None], grey))
    >>> error.item()  # nothing is covered
    0.0
    """
    assert isinstance(model.encoder, LayeredEncoder)
    drawn = model.encoder.draw(lesson.first, lesson.vectors, lesson.times)
    behind = lesson.behind[:, None].expand_as(lesson.frames).flatten(0, 1)
    errors = drawing_errors(drawn, lesson.frames.flatten(0, 1), behind)
    loss = errors.composed + COVERED_WEIGHT * errors.covered
    loss = loss + SHADED_WEIGHT * errors.shaded + MASK_WEIGHT * errors.mask
    return loss, errors.covered


def object_loss(
    model: VideoPixelNetwork,
    frame: Tensor,
    segmentation: Tensor,
    time: Tensor,
    states: Tensor,
    actions: Tensor,
    *rest: Tensor,
) -> dict[str, Tensor]:
    """Return 'loss' of finding objects and foreseeing their ways, and 'object_error'.

    object_error: of the ways alone, pixels a frame. states, actions: (B, T, ...), in the data's
    units; all else as ``ObjectLesson`` has it.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=16, coarse_scales=0, encoder="layered", objects=2)
    >>> still = torch.zeros(1, 3, 5), torch.zeros(1, 3, 5), torch.full((1, 3, 1, 2), 8.0)
    >>> seen = torch.zeros(1, 3, 16, 16).byte(), torch.zeros(1, 16, 16).byte()
    >>> time, hands = torch.zeros(1).long(), torch.zeros(1, 3, 2, 2)
    >>> sorted(object_loss(model, *seen, time, *still, hands))
    ['loss', 'object_error']
    """
    encoder = model.encoder
    assert isinstance(encoder, LayeredEncoder)
    assert encoder.drawing is not None
    assert encoder.objects is not None
    vectors = model.vectors(states, actions)
    lesson = ObjectLesson(frame, segmentation, time, vectors, *rest)
    with torch.no_grad():
        code = encoder.drawing.encode(frame).float()
    errors = object_errors(encoder.objects, code, lesson)
    return {"loss": errors.loss(), "object_error": errors.ways.detach()}


def state_error(model: VideoPixelNetwork, states: Tensor, actions: Tensor) -> Tensor:
    """Return the predicted states' mean squared error, in standard deviations.

    Of one step from each state, plus of all steps from the first one, as rollouts from actions
    alone take them. states: (B, T, S), actions: (B, T, A), in the data's units.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> state_error(model, torch.zeros(1, 1, 5), torch.zeros(1, 1, 5)).item()  # nothing to predict
    0.0
    """
    if model.state_predictor is None or states.shape[1] < 2:
        return torch.zeros((), device=states.device)
    states = model.normalise(states, "state")
    actions = model.normalise(actions, "action")
    actions = actions[:, : states.shape[1] - 1]
    predicted = model.state_predictor(states[:, :-1], actions)
    one_step = (predicted - states[:, 1:]).square().mean()
    state = states[:, 0]
    followed = []
    for action in actions.unbind(1):
        state = model.state_predictor(state, action)
        followed.append(state)
    many_steps = (torch.stack(followed, dim=1) - states[:, 1:]).square().mean()
    return one_step + many_steps
