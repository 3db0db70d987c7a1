"""Training image models: examples as pure functions, what the loop gets, scores, a short run end to
end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelpush.datasets.image_sets import ImageArrays, ImageExample
from pixelpush.errors import InputError
from pixelpush.image.presets import PRESETS as MODELS
from pixelpush.image.presets import image_config
from pixelpush.training.config import DataConfig
from pixelpush.training.image_batches import check_fits, read_images, split_batch
from pixelpush.training.image_scoring import score_images
from pixelpush.training.image_task import ImageTask
from pixelpush.training.presets import find_preset
from pixelpush.training.task import SCORE


class Birds:
    """Eight 8x8 images with class, captions and structure."""

    name, classes, structure, has_captions, content_sha256 = "birds", 3, 2, True, "abc"

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> ImageExample:
        numbers = np.random.default_rng(index)
        image = numbers.integers(0, 256, (3, 8, 8), dtype=np.uint8)
        structure = numbers.integers(0, 2, (2, 32, 32), dtype=np.uint8)
        captions = tuple(f"bird {index} number {caption}" for caption in range(5))
        return ImageExample(f"bird-{index}", image, index % 3, captions, structure)


SMALL = {"image_size": 8, "head_hidden": 8, "condition_channels": 4, "condition_layers": 2}
CONDITIONAL = {**SMALL, "classes": 3, "captions": True, "structure": 2}


def birds_task(
    kind: str = "gated-pixelcnn", data: DataConfig | None = None, **settings
) -> ImageTask:
    sizes = {"channels": 6, "layers": 2} if kind == "gated-pixelcnn" else {}
    return ImageTask(
        image_config(kind, **{**CONDITIONAL, **sizes, **settings}),
        data or DataConfig(),
        Birds(),
        Birds(),
    )


def test_examples_are_pure_and_captions_change_with_the_epoch():
    task = birds_task()
    first, again = task.example(1, 0, 3), task.example(1, 0, 3)
    assert first[0] == "bird-3"
    assert all(np.array_equal(first[1][name], again[1][name]) for name in first[1])
    captions = {task.example(1, epoch, 3)[1]["captions"].tobytes() for epoch in range(40)}
    assert len(captions) == 5
    assert first[1]["classes"] == 0
    assert {name: array.shape for name, array in first[1].items()} == {
        "images": (3, 8, 8), "classes": (), "captions": (201,), "structure": (2, 32, 32),
    }  # fmt: skip


def test_half_of_the_images_are_mirrored():
    plain, mirrored = birds_task(), birds_task(data=DataConfig(mirror=True))
    before = plain.example(1, 0, 2)[1]["images"]
    kept = [
        np.array_equal(mirrored.example(1, epoch, 2)[1]["images"], before) for epoch in range(200)
    ]
    assert 65 < sum(kept) < 135  # five standard deviations round a half


def test_a_mirrored_image_has_a_mirrored_structure():
    plain, mirrored = birds_task(), birds_task(data=DataConfig(mirror=True))
    # Of the first epochs, one that mirrors this image.
    for epoch in range(64):
        before, after = plain.example(1, epoch, 2)[1], mirrored.example(1, epoch, 2)[1]
        if not np.array_equal(before["images"], after["images"]):
            break
    for name in ("images", "structure"):
        assert np.array_equal(after[name], before[name][..., ::-1])
    assert np.array_equal(after["captions"], before["captions"])


@pytest.mark.parametrize("kind", ["gated-pixelcnn", "pixelcnn++"])
def test_losses_and_scores_agree(kind):
    task = birds_task(
        kind, **({"filters": 4, "resnets": 1, "dropout": 0.0} if kind == "pixelcnn++" else {})
    )
    torch.manual_seed(0)
    model = task.build_model()
    task.initialise(model, 0)
    images, condition = read_images(task.config, Birds(), range(8))
    batch = {"images": images, **condition.parts()}
    assert torch.equal(split_batch(batch)[0], images)
    with torch.no_grad():
        loss = task.losses(model, batch)
    scores = task.evaluate(model, None, torch.device("cpu"), "32")
    assert loss["loss"].item() == pytest.approx(scores[SCORE], abs=1e-5)
    assert scores["nats_per_image"] == pytest.approx(scores[SCORE] * 192)
    assert scores["bits_per_dimension"] == pytest.approx(scores[SCORE] / np.log(2))


def test_scores_do_not_depend_on_the_batch():
    task = birds_task()
    torch.manual_seed(0)
    model = task.build_model().train()
    whole, one = (score_images(model, Birds(), None, size) for size in (8, 3))
    assert np.allclose(whole.nats, one.nats, atol=1e-3)
    assert model.training
    assert len(score_images(model, Birds(), 5, 2).nats) == 5


@pytest.mark.parametrize("count", [0, -1])
def test_scoring_nothing_is_refused(count):
    model = birds_task().build_model()
    with pytest.raises(InputError, match=f"images to score must be at least 1, got {count}"):
        score_images(model, Birds(), count)
    with pytest.raises(InputError, match=rf"batch_size.* at least 1, got {count}"):
        score_images(model, Birds(), None, count)


def test_the_same_examples_identify_the_same_run():
    assert birds_task().describe() == birds_task().describe()
    assert birds_task().describe() != birds_task(channels=7).describe()


def test_scales_are_chosen():
    sizes = {
        "base_size": 4,
        "channels": 4,
        "base_layers": 2,
        "blocks": 1,
        "patch_layers": 2,
        "crop": 8,
    }
    config = image_config("multiscale-pixelcnn", **SMALL, **sizes)
    plain = ImageArrays("plain", np.zeros((4, 3, 8, 8), np.uint8))
    task = ImageTask(config, DataConfig(), plain, scales=[4])
    model = task.build_model()
    losses = task.losses(model, {"images": torch.zeros(2, 3, 8, 8, dtype=torch.uint8)})
    assert set(losses) == {"loss", SCORE, "nats_per_subpixel_4"}
    assert task.evaluate(model, None, torch.device("cpu"), "32") == {}
    with pytest.raises(InputError, match="no scales"):
        ImageTask(image_config("pixelcnn", **SMALL), DataConfig(), plain, scales=[4])


def test_mistakes_are_named():
    plain = ImageArrays("plain", np.zeros((4, 3, 8, 8), np.uint8), np.zeros(4, int), 5)
    for settings, message in [
        ({"image_size": 16}, r"images are \(3, 8, 8\), the model takes \(3, 16, 16\)"),
        ({"classes": 3}, "5 classes, the model knows 3"),
        ({"captions": True}, "no captions"),
        ({"structure": 15}, "0 spatial maps, the model takes 15"),
    ]:
        with pytest.raises(InputError, match=message):
            check_fits(image_config("pixelcnn", **{**SMALL, **settings}), plain)
    with pytest.raises(InputError, match="no image"):
        check_fits(
            image_config("pixelcnn", **SMALL), ImageArrays("none", np.zeros((0, 3, 8, 8), np.uint8))
        )
    with pytest.raises(InputError, match="whole images"):
        birds_task(data=DataConfig(jitter=2))


class Chatty(Birds):
    """Captions of 300 characters."""

    def __getitem__(self, index: int) -> ImageExample:
        example = super().__getitem__(index)
        return ImageExample(
            example.id, example.image, example.label, ("x" * 300,), example.structure
        )


def test_long_captions_are_refused_unless_asked():
    config = image_config("gated-pixelcnn", **CONDITIONAL)
    with pytest.raises(
        InputError, match=r"bird-2: a caption of 300 characters .*truncate_captions"
    ):
        ImageTask(config, DataConfig(), Chatty()).example(0, 0, 2)
    config = image_config("gated-pixelcnn", **CONDITIONAL, truncate_captions=True)
    assert ImageTask(config, DataConfig(), Chatty()).example(0, 0, 2)[1]["captions"].min() > 0


def test_every_image_model_has_a_training_preset():
    for name in MODELS:
        preset = find_preset(name)
        assert preset.family == "image"
        assert image_config(preset.model, **preset.overrides).kind == MODELS[name]["kind"]


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_a_run_resumes_and_its_model_loads(tmp_path: Path, precision: str):
    from pixelpush.image import load_image_model
    from pixelpush.training.commands import run_training
    from pixelpush.training.config import RunOptions
    from pixelpush.training.options import PresetChanges, TrainingData

    write_sheets(tmp_path / "data")
    settings = ("channels=4", "layers=2", "head_hidden=8")
    for _ in range(2):
        run_training(
            "cifar-small-gated-pixelcnn",
            TrainingData(f"cifar10:{tmp_path / 'data'}"),
            tmp_path / "run",
            PresetChanges(examples=32, batch_size=8, precision=precision),  # type: ignore[arg-type]
            settings,
            RunOptions(accelerator="cpu", quiet=True),
        )
    model = load_image_model(tmp_path / "run")
    assert model.config.image_size == 32
    assert (tmp_path / "run" / "best.json").is_file()


def write_sheets(root: Path) -> None:
    import cv2

    root.mkdir()
    numbers = np.random.default_rng(0)
    for sheet in (0, 50):
        cv2.imwrite(
            str(root / f"cifar10_batch_{sheet}.png"),
            numbers.integers(0, 256, (20, 1024, 3), dtype=np.uint8),
        )
    (root / "cifar10_labels.js").write_text(f"var labels={[1] * 51_000};")
