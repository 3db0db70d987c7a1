"""What a page may send: the rest is refused in words, and has no effect."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelpush.errors import InputError
from pixelpush.eval.driving.messages import (
    Change,
    Hold,
    Plain,
    Reset,
    pack_view,
    read_message,
    unpack_view,
)
from pixelpush.eval.driving.session import View

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
TYPES = st.sampled_from(["hold", "reset", "set", "back", "record", "stop", "look", "drive"])
WORDS = st.sampled_from(
    ["held", "target", "split", "episode", "prediction", "temperature", "seed", "other"]
)


def test_what_is_understood():
    hold = read_message('{"type": "hold", "held": [0, -1, 0.5]}', 3)
    assert isinstance(hold, Hold)
    np.testing.assert_array_equal(hold.held, [0, -1, 0.5])
    target = read_message('{"type": "hold", "target": [0.1, 7, 2]}', 3)
    assert isinstance(target, Hold)
    np.testing.assert_allclose(target.target, [0.1, 7, 2])
    assert not target.held.any()
    assert read_message('{"type": "reset", "episode": 3}', 3) == Reset(None, 3)
    assert read_message('{"type": "set", "temperature": 1}', 3) == Change(temperature=1.0)
    assert read_message('{"type": "stop"}', 3) == Plain("stop")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no", "not JSON"),
        ("[" * 3000, "not JSON"),
        ("x" * 5000, "4096 are allowed"),
        ("[1]", "without a type"),
        ('{"type": 3}', "without a type"),
        ('{"type": "fly"}', "unknown message 'fly'"),
        ('{"type": "hold"}', "held must be 2 numbers"),
        ('{"type": "hold", "held": [1]}', "held must be 2 numbers"),
        ('{"type": "hold", "held": [2, 0]}', "from -1 to 1"),
        ('{"type": "hold", "held": [NaN, 0]}', "from -1 to 1"),
        ('{"type": "hold", "held": [true, 0]}', "held must be"),
        ('{"type": "hold", "target": [Infinity, 0]}', "target must be"),
        ('{"type": "reset", "episode": -1}', "whole number"),
        ('{"type": "reset", "episode": true}', "whole number"),
        ('{"type": "back", "far": 1}', "unknown word 'far'"),
        ('{"type": "set", "temperature": "hot"}', "temperature must be"),
    ],
)
def test_what_is_refused(text, why):
    with pytest.raises(InputError, match=why):
        read_message(text, 2)


# Slow only where the machine is busy with other things.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TYPES, st.dictionaries(WORDS, ANY_JSON, max_size=3))
def test_nothing_else_than_a_message_or_a_clear_line_comes_out(kind, words):
    with contextlib.suppress(InputError):
        message = read_message(json.dumps({"type": kind, **words}), 2)
        assert isinstance(message, Hold | Reset | Change | Plain)


def test_a_view_comes_out_as_it_went_in():
    draw = np.random.default_rng(0)
    frame, real = draw.integers(0, 256, (2, 3, 4, 4)).astype(np.uint8)
    heat = np.linspace(0, 12, 16, dtype=np.float32).reshape(4, 4)
    view = View(7, frame, heat, 1.25, np.ones(2), np.zeros(3), 0.02, real, 3.5, 0.01)
    header, pixels = unpack_view(pack_view(view))
    assert (header["number"], header["nats"], header["distance"]) == (7, 1.25, 3.5)
    assert header["recording"] is None
    shown = np.frombuffer(pixels, np.uint8)
    np.testing.assert_array_equal(shown[:48].reshape(4, 4, 3), frame.transpose(1, 2, 0))
    np.testing.assert_array_equal(shown[48:64], (heat.ravel() / 12 * 255).astype(np.uint8))
    np.testing.assert_array_equal(shown[64:].reshape(4, 4, 3), real.transpose(1, 2, 0))
