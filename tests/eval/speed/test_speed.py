"""Table 4: what is timed, counted, extrapolated and left open. No test looks at how fast anything
is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from flat_options import build

from pixelpush.cli.speed import SpeedOptions, speed
from pixelpush.errors import InputError
from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.eval.speed.table import growth_figure, table4_text
from pixelpush.eval.speed.videos import (
    SpeedReport,
    count_work,
    measure,
    sampler_rows,
    time_sampler,
)
from pixelpush.vpn import VideoPixelNetwork, build_model

TINY = {
    "channels": 4,
    "encoder_blocks": 1,
    "coarse_scales": 0,
    "lstm_channels": 4,
    "base_size": 2,
    "base_layers": 2,
}


def tiny(kind: str, size: int) -> VideoPixelNetwork:
    sizes = {"decoder_channels": 4, "decoder_blocks": 1, "components": 2, "softmax_hidden": 4}
    return build_model(kind, frame_size=size, **TINY, **sizes)


@pytest.fixture(scope="module")
def report() -> SpeedReport:
    wanted = {"videos": 2, "frames": 2, "plain_steps": 5, "minutes": 0}  # however slow the machine
    settings = SpeedSettings(device="cpu", graph="none", **wanted)
    return measure(tiny, settings, sizes=(4,), table_size=8)


def test_every_row_is_measured_or_left_open(report):
    text = table4_text(report)
    for kind, sampler in sampler_rows():
        words = f"{kind.label}{sampler.words}"
        line = next(line for line in text.splitlines() if line.startswith(words + "  "))
        seconds = line.removeprefix(words).split()[0]
        assert (seconds == "-") == (sampler.name == "graph")
    assert "extrapolated from 5 of 192 sub-pixel steps" in text
    assert "1929.8" in text


def test_the_heading_names_the_batch_and_the_arithmetic(report):
    """``measure`` is called as a library here: nothing has filled in the batch."""
    assert report.settings.batch is None
    heading = table4_text(report).splitlines()[0]
    assert "batch 1, float32 on" in heading
    wide = replace(report, settings=replace(report.settings, batch=3, precision="bf16"))
    assert "batch 3, bfloat16 on" in table4_text(wide).splitlines()[0]


def test_counts_are_the_decoders_and_seconds_are_positive(report):
    found = {(t.kind, t.sampler, t.size): t for t in report.timings}
    assert found[("otn", "plain", 8)].sequential_steps == 3 * 64
    assert found[("otn", "cached", 8)].sequential_steps == 64
    assert found[("otn", "wavefront", 8)].sequential_steps == 8 + 2 * 7
    assert found[("ot", "plain", 4)].sequential_steps == 4
    assert all(t.seconds_per_frame > 0 for t in report.timings)
    assert {t.size for t in report.timings} == {4, 8}


def test_work_of_a_convolution_is_counted():
    work = count_work(tiny("baseline", 8))
    weights = sum(p.numel() for p in tiny("baseline", 8).parameters())
    assert work["weight_megabytes"] == pytest.approx(4 * weights / 1e6)
    assert work["gigaflop"] > 0


def test_a_sampler_that_is_too_slow_samples_two_frames(monkeypatch):
    """One warms up, the other is timed: a slow sampler would otherwise break the promised time."""
    model = tiny("otn", 8).eval()
    sampled = []
    rollout = model.rollout
    monkeypatch.setattr(
        model, "rollout", lambda *a, **k: sampled.append(k["steps"]) or rollout(*a, **k)
    )
    settings = SpeedSettings(device="cpu", graph="none", videos=3, frames=5)
    timing = time_sampler(model, "cached", settings, seconds=0.0)
    assert timing is not None
    assert (sampled, timing.videos, timing.frames) == ([1, 1], 1, 1)


def test_figure_is_written(report, tmp_path):
    growth_figure(report, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("sampler", "precision"), [(s, p) for s in ("plain", "cached") for p in ("32", "bf16")]
)
def test_every_row_runs_in_the_precision_of_the_header(sampler, precision):
    model, seen = tiny("otn", 4).eval(), set()
    model.decoder.condition.register_forward_hook(
        lambda module, inputs, output: seen.add(output.dtype)
    )
    assert time_sampler(
        model,
        sampler,
        SpeedSettings(device="cpu", videos=1, frames=1, precision=precision, plain_steps=2),
    )
    assert seen == {torch.bfloat16 if precision == "bf16" else torch.float32}


def test_impossible_settings_are_refused_before_any_work(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("measured before the options were checked")

    monkeypatch.setattr("pixelpush.eval.speed.run.measure", fail)
    monkeypatch.setattr("pixelpush.eval.speed.run.measure_images", fail)
    for message, options in [
        ("--videos must be at least 1", {"videos": 0}),
        ("--batch must be at least 1", {"batch": 0}),
        (r"must end in \.png", {"figure": tmp_path / "x.foo"}),
        ("is a folder", {"json": tmp_path}),
        ("is a folder", {"images": True, "json": tmp_path}),
        ("draws no figure", {"images": True, "figure": tmp_path / "x.png"}),
        ("runs in float32", {"images": True, "precision": "bf16"}),
    ]:
        with pytest.raises(InputError, match=message):
            speed(build(SpeedOptions, **options))


@pytest.mark.parametrize(("asked", "measured"), [(None, 30), (1, 1), (4, 4)])
def test_images_are_sampled_30_at_once_unless_told(asked, measured, monkeypatch):
    batches = []
    monkeypatch.setattr(
        "pixelpush.eval.speed.run.measure_images", lambda size, batch, *_: batches.append(batch)
    )
    monkeypatch.setattr("pixelpush.eval.speed.run.table4_images_text", str)
    speed(build(SpeedOptions, images=True, batch=asked, device="cpu"))
    assert batches == [measured]
