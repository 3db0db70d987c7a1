"""The O(TN) decoder's three samplers, and the count of network evaluations."""

from __future__ import annotations

import pytest
import torch
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.image.cached import ConvolutionCache, raster_order, wavefront_order
from pixelpush.image.heads import Head
from pixelpush.image.layers import MaskedConv2d
from pixelpush.vpn import build_model


@pytest.mark.parametrize(
    ("distribution", "block"), [("softmax", "residual"), ("logistic", "multiplicative")]
)
def test_wavefront_raster_and_plain_sampling_give_the_same_bytes(distribution, block):
    model = tiny_model("otn", distribution=distribution, decoder_block=block)
    generator = torch.Generator().manual_seed(3)
    previous = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8, generator=generator)
    features = torch.randn(3, model.encoder.features, 4, 4, generator=generator)
    uniforms = torch.rand(3, model.decoder.uniforms_per_pixel, 8, 8, generator=generator)
    with torch.no_grad():
        plain, score = model.decoder.sample_plain(features, previous, uniforms)
        for order in ("raster", "wavefront"):
            frame, cached_score = model.decoder.sample(features, previous, uniforms, order=order)
            assert torch.equal(frame, plain)
            torch.testing.assert_close(cached_score, score, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (5, 3), (8, 8)])
def test_wavefront_visits_every_pixel_once_after_all_it_can_see(height, width):
    seen = torch.zeros(height, width, dtype=torch.bool)
    order = wavefront_order(height, width)
    for rows, columns, *_ in order:
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            assert not seen[row, column]
            # Through 3x3 raster masks at any depth: (row - n, column + m) with m <= n, and the row
            # to the left.
            for above in range(row + 1):
                last = min(column + above + 1, width) if above else column
                assert seen[row - above, :last].all()
        seen[rows, columns] = True
    assert seen.all()
    assert len(order) == width + 2 * (height - 1)


@pytest.mark.parametrize("mask", ["A", "B"])
def test_convolution_cache_equals_the_convolution(mask):
    torch.manual_seed(0)
    layer = MaskedConv2d(2, 3, 5, mask, dilation=2)
    image = torch.randn(2, 2, 6, 7)
    cache = ConvolutionCache(layer, 2, 6, 7)
    expected = layer(image)
    with torch.no_grad():
        for here in raster_order(6, 7):
            values = image[:, :, here.rows, here.columns][..., 0]
            if mask == "B":
                cache.write(values, here)
            wanted = expected[:, :, here.rows, here.columns][..., 0]
            torch.testing.assert_close(cache.read(here), wanted)
            cache.write(values, here)
    for size in ((7, 7), (6, 8)):
        with pytest.raises(IndexError, match="6x7"):
            cache.read(raster_order(*size)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_network_evaluations_are_counted_as_they_happen(kind):
    """One head call is one evaluation, times its channel steps; the plain O(TN) sampler is the one
    that counts."""
    model = tiny_model(kind)
    frames, states, actions = tiny_video(model, batch=1, length=3)
    calls = []
    for module in model.decoder.modules():
        if isinstance(module, Head):
            module.register_forward_hook(lambda head, *_: calls.append(head.evaluations))
    if kind == "otn":
        model.decoder.sample = model.decoder.sample_plain
    out = model.rollout(frames[:, :2], states, actions)
    # The plain sampler calls the whole head for every channel, and once more for the score.
    counted = len(calls) - 1 if kind == "otn" else sum(calls)
    assert out.network_evaluations == counted


def test_growth_of_network_evaluations_with_the_frame():
    counts = {
        kind: [
            build_model(
                kind, frame_size=size, coarse_scales=0, channels=2, decoder_channels=2
            ).decoder.evaluations
            for size in (16, 32, 64)
        ]
        for kind in KINDS
    }
    assert counts["baseline"] == [1, 1, 1]
    assert counts["ot"] == [4, 4, 4]
    assert counts["otn"] == [3 * size * size for size in (16, 32, 64)]
    assert counts["otlogn"] == [3 * 64 + 9 * doublings for doublings in (1, 2, 3)]
