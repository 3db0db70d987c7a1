"""Presets of the papers' sizes: built on the meta device, their weights counted, and what we chose
said."""

from __future__ import annotations

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.presets import parameters, preset_text
from pixelpush.image import build_image_model
from pixelpush.image.presets import model_presets
from pixelpush.training.presets import find_preset, presets
from pixelpush.vpn import build_model

# Weights of every full-size preset. No paper prints one, so each was counted once and is kept: a
# change must be deliberate. Below, three are counted by hand from the papers' layers: PixelCNN++,
# PixelCNN and the VPN.
WEIGHTS = {
    "paper-baseline": 30_676_348,
    "paper-otn": 30_355_836,
    "paper-otn-dilated": 30_355_836,
    "paper-ot": 23_352_076,
    "paper-otlogn": 44_628_476,
    "paper-upscale-128": 9_573_136,
    "paper-upscale-256": 9_573_136,
    "paper-mnist-pixelcnn": 30_241,
    "paper-cifar-pixelcnn": 8_721_408,
    "paper-imagenet32-gated-pixelcnn": 118_470_912,
    "paper-imagenet64-gated-pixelcnn": 118_470_912,
    "paper-cifar-gated-pixelcnn": 6_900_608,
    "paper-cifar-pixelcnn++": 53_659_080,
    "paper-cifar-row-lstm": 11_330_304,
    "paper-imagenet32-row-lstm": 62_292_736,
    "paper-imagenet64-row-lstm": 39_498_496,
    "paper-mnist-diagonal-bilstm": 68_993,
    "paper-cifar-diagonal-bilstm": 12_125_952,
    "paper-imagenet64-multiscale-pixelrnn": 91_603_456,
    "paper-imagenet32-multiscale": 103_649_536,
    "paper-imagenet64-multiscale": 144_422_400,
    "paper-imagenet128-multiscale": 185_195_264,
    "paper-imagenet512-multiscale": 266_740_992,
    "paper-cub256-multiscale": 87_290_240,
    "paper-mpii256-multiscale": 87_299_456,
    "paper-coco256-multiscale": 87_589_760,
    "paper-imagenet32-real-nvp": 1_984_689,
    "paper-imagenet64-real-nvp": 1_788_361,
}
# Examples in a step, and steps, where the papers give them.
BATCHES = {
    "paper-cifar-row-lstm": (16, None),
    "paper-imagenet32-row-lstm": (64, None),
    "paper-imagenet64-row-lstm": (32, None),
    "paper-imagenet64-multiscale-pixelrnn": (32, None),
    "paper-imagenet32-gated-pixelcnn": (128, 200_000),
    "paper-imagenet64-gated-pixelcnn": (128, 200_000),
    "paper-imagenet512-multiscale": (128, 200_000),
    "paper-cifar-pixelcnn++": (128, None),
    "paper-imagenet32-real-nvp": (64, None),
    "paper-imagenet64-real-nvp": (64, None),
    "paper-ot": (64, 200_000),
}


def test_the_table_has_every_preset_of_a_paper():
    assert set(WEIGHTS) == {name for name in presets() if name.startswith("paper-")}


@pytest.mark.parametrize("name", WEIGHTS)
def test_full_size_models_build_on_the_meta_device(name):
    assert parameters(find_preset(name)) == WEIGHTS[name]


@pytest.mark.parametrize("name", BATCHES)
def test_batches_are_the_papers(name):
    train = find_preset(name).train
    batch, steps = BATCHES[name]
    assert train.batch_size == batch
    assert steps is None or train.examples == steps * batch


@pytest.mark.parametrize("size", [32, 64])
def test_the_last_scale_of_a_real_nvp_has_four_by_four_places(size: int):
    settings = model_presets()[f"paper-imagenet{size}-real-nvp"][1].settings
    assert size >> (settings["scales"] - 1) == 4


def test_the_weights_of_a_pixelcnn_pp_by_hand():
    """160 filters: every layer's weights, gains and biases, the output layer's too."""

    def normed(inputs: int, outputs: int, taps: int) -> int:
        return inputs * outputs * taps + 2 * outputs

    f, total = 160, 0
    total += normed(4, f, 6) + normed(4, f, 3) + normed(4, f, 2)
    for resnets, short in ((15, (0, f)), (17, (f, 2 * f))):
        for taps, width in zip((6, 4), short, strict=True):
            across = normed(2 * width, f, 1) if width else 0
            total += resnets * (normed(2 * f, f, taps) + normed(2 * f, 2 * f, taps) + across)
    # Two strided and two transposed convolutions of each stream.
    total += 2 * (normed(f, f, 6) + normed(f, f, 4)) * 2
    total += normed(f, 100, 1)  # 10 components
    assert total == WEIGHTS["paper-cifar-pixelcnn++"]


def test_the_weights_of_a_vpn_by_hand():
    """Kalchbrenner et al. 2016: 8 + 12 residual multiplicative blocks of c = 128, ConvLSTM 256."""

    def conv(inputs: int, outputs: int, taps: int) -> int:
        return inputs * outputs * taps + outputs

    c = 128
    block = conv(2 * c, c, 1) + 2 * conv(c, 4 * c, 9) + conv(c, 2 * c, 1)
    encoder = conv(3 + 2 + 10, 2 * c, 9) + 8 * block + conv(256 + 256, 4 * 256, 9)
    head = 3 * 2 * conv(256, 256, 1) + 3 * 256 * 256
    decoder = conv(3, 2 * c, 9) + conv(256, 2 * c, 1) + 12 * block + head
    states = conv(10, 5, 1) + conv(10, 64, 1) + conv(64, 64, 1) + conv(64, 5, 1)
    assert encoder + decoder + states == WEIGHTS["paper-otn"]


def test_the_weights_of_a_pixelcnn_by_hand():
    """van den Oord et al. 2016a, table 1: 7x7 A, 15 residual blocks of h = 128, two 1x1 of 1024."""
    h = 128
    first = 49 * 3 * 2 * h + 2 * h
    # Down to h, the masked convolution, and back: to the next block and to the output.
    block = (2 * h * h + h) + (9 * h * h + h) + 2 * (2 * h * h + 2 * h)
    top = 2 * h * 1024 + 1024
    heads = 3 * ((1024 * 1024 + 1024) + (1024 * 256 + 256)) + 3 * 256 * 1024
    assert first + 15 * block + top + heads == WEIGHTS["paper-cifar-pixelcnn"]


def dilations(name: str, **settings: object) -> list[int]:
    with torch.device("meta"):
        encoder = build_model(name, **settings).encoder
    return [unit.convolution.dilation[0] for block in encoder.blocks for unit in block.units[:1]]


def test_dilated_blocks_are_a_preset_and_an_override():
    assert dilations("paper-otn-dilated") == [1, 2, 4, 8, 1, 2, 4, 8]
    assert dilations("paper-otn") == [1] * 8
    assert dilations("paper-ot", encoder_dilation=4) == [1, 2, 4, 1, 2, 4, 1, 2]
    with pytest.raises(InputError, match="encoder_dilation must be a power of two, got 3"):
        build_model("paper-ot", encoder_dilation=3)


def test_a_dilated_encoder_sees_as_far_as_its_dilation():
    """A change at one pixel reaches the features at a distance of exactly what the blocks reach."""
    sizes = {"coarse_scales": 0, "encoder_blocks": 2, "channels": 4, "lstm_channels": 4}
    model = build_model("ot", frame_size=32, patch=1, centred=False, encoder_dilation=2, **sizes)
    encoder = model.encoder
    for block in encoder.blocks:
        torch.nn.init.normal_(block.second.weight)
    frames = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    frames[1, :, 16, 16] = 255
    with torch.no_grad():
        features = encoder.convolve(frames, None, torch.zeros(2, model.config.vector_dim))
    changed = (features[0] != features[1]).any(dim=0)
    reach = 1 + 2 * 1 + 2 * 2  # the first convolution, then two in each of two blocks
    assert changed[16].nonzero().flatten().tolist() == list(range(16 - reach, 16 + reach + 1))


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_is_ours_is_marked(name):
    preset = find_preset(name)
    assert preset.ours
    text = preset_text(name)
    assert "ours, where the papers do not say" in text
    assert all(words in text for words in preset.ours)
    assert not any(find_preset(other).ours for other in presets() if other not in WEIGHTS)


def test_the_512_chain_upscales_from_the_sizes_of_figure_7():
    with torch.device("meta"):
        model = build_image_model("paper-imagenet512-multiscale")
    assert model.config.sizes == (8, 16, 32, 64, 128, 256, 512)
    assert len(model.upscalers) == 6
