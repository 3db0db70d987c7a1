"""The page that ``pixelpush doctor`` prints: what is sound says so, what is not is named, and the
exit code follows."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelpush import cli, doctor, soundness
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.training.checkpoint import Progress, TrainState, write_save
from pixelpush.vpn import VideoPixelNetwork, build_model, save_model


def episodes(count: int) -> list[Episode]:
    draw = np.random.default_rng(0)
    vectors = np.zeros((4, 2), np.float32)
    return [
        Episode(draw.integers(0, 256, (4, 3, 8, 8), dtype=np.uint8), vectors, vectors, f"e{number}")
        for number in range(count)
    ]


def small_model() -> VideoPixelNetwork:
    sizes = {
        "channels": 8,
        "encoder_blocks": 1,
        "coarse_scales": 0,
        "lstm_channels": 4,
        "decoder_blocks": 1,
    }
    return build_model("ot", frame_size=8, state_dim=2, action_dim=2, components=2, **sizes)


def some_run(path: Path) -> Path:
    """A run folder with saves after 5 and 10 examples, the first of them the best."""
    path.mkdir()
    (path / "config.json").write_text("{}")
    for examples in (5, 10):
        model = small_model()
        progress = Progress(
            examples, 1, 1.0, {"save": "0000000005", "validation_nats_per_subpixel": 1.0}
        )
        write_save(
            path,
            TrainState("video", model, None, torch.optim.AdamW(model.parameters()), progress),
            keep=2,
        )
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    """A data root with a store, a store two folders down, and what a killed preparation left."""
    root = tmp_path / "root"
    monkeypatch.setenv("PIXELPUSH_DATA", str(root))
    for path in (root / "mine", root / "sim" / "64" / "train"):
        write_store(path, {"train": episodes(3), "val": episodes(2)}, {"source": "a test"})
    shutil.copytree(root / "mine", root / ".mine.0123abcd.partial")
    return root


def page(capsys, *arguments: str) -> tuple[int, str]:
    """(exit code, what was printed)."""
    try:
        cli.main(["doctor", *arguments])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().out


def faults(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("!")]


def test_a_sound_installation_is_a_page_and_exit_0(root: Path, tmp_path: Path, capsys):
    code, text = page(capsys, str(some_run(tmp_path / "run")), "--full")
    assert (code, faults(text)) == (0, [])
    assert f"torch {torch.__version__}" in text
    assert f"{root}/mine: frames 3x8x8, state 2, action 2" in text
    assert f"{root}/sim/64/train: frames" in text
    assert f"{root}/.mine.0123abcd.partial: unfinished" in text
    assert "sound saves, by examples: 5, 10" in text
    assert "best: 0000000005" in text
    assert len(text.splitlines()) < 60


def test_no_data_yet_is_no_fault(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "a" / "b"))
    code, text = page(capsys)
    assert code == 0
    assert "not made yet" in text


def test_a_damaged_store_is_named_and_the_others_are_still_looked_at(root: Path, capsys):
    shard = root / "mine" / "val-00000.array_record"
    shard.write_bytes(shard.read_bytes()[:-9])
    (root / "sim" / "64" / "train" / "COMPLETE").unlink()
    code, text = page(capsys)
    assert code == 2
    found = faults(text)
    assert len(found) == 2
    assert f"{shard}: the shard is truncated or changed" in found[0]
    assert "the store was not finished (no COMPLETE)" in found[1]


def test_full_notices_an_episode_that_was_exchanged(root: Path, tmp_path: Path, capsys):
    # the shards of another data set, each sound, with nothing but the content hash to tell
    changed = episodes(3)
    changed[1].frames[2, 0, 4, 4] ^= 1
    other = write_store(tmp_path / "other", {"train": changed, "val": episodes(2)}, {})
    store, name = root / "mine", "train-00000.array_record"
    size = (store / name).stat().st_size
    shutil.copy(other / name, store / name)
    description = store / "store.json"
    text = description.read_text()
    assert f'"bytes": {size}' in text
    description.write_text(
        text.replace(f'"bytes": {size}', f'"bytes": {(store / name).stat().st_size}', 1)
    )
    assert page(capsys)[0] == 0
    code, text = page(capsys, "--full")
    assert code == 2
    assert "the shard does not hold what was written for split 'train'" in faults(text)[0]


def test_damaged_saves_are_named_and_nothing_is_moved(root: Path, tmp_path: Path, capsys):
    run = some_run(tmp_path / "run")
    (run / "checkpoints" / "0000000005" / "model.safetensors").write_bytes(b"")
    (run / "checkpoints" / ".0000000015.0123abcd.partial").mkdir()
    shutil.copytree(run / "checkpoints" / "0000000005", run / "checkpoints" / "damaged-0000000003")
    before = sorted(run.rglob("*"))
    code, text = page(capsys, str(run), str(tmp_path / "nowhere"))
    assert code == 2
    assert sorted(run.rglob("*")) == before
    found = faults(text)
    assert any(
        "0000000005/model.safetensors: missing or not what was written" in line for line in found
    )
    assert any("damaged-0000000003: set aside" in line for line in found)
    assert any("nowhere: no run folder" in line for line in found)
    assert len(found) == 3
    assert "sound saves, by examples: 10" in text


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        ("no-such-package>=3", "no-such-package is missing: pip install 'no-such-package>=3'"),
        ("numpy>=99", "but >=99 is needed"),
    ],
)
def test_packages_missing_or_out_of_range(monkeypatch, needed: str, said: str):
    others = [
        "tyro>=0.9",
        'hypothesis>=99; extra == "test"',
        'numpy>=99; sys_platform == "nowhere"',
    ]
    monkeypatch.setattr(metadata, "requires", lambda name: [*others, needed])
    found = [finding.text for finding in doctor.software() if not finding.sound]
    assert len(found) == 1
    assert said in found[0]


def test_no_ffmpeg_is_a_fault(monkeypatch):
    import imageio_ffmpeg

    def none():
        raise RuntimeError("No ffmpeg exe could be found.\nInstall it.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_version", none)
    found = [finding.text for finding in doctor.software() if not finding.sound]
    assert len(found) == 1
    assert "No ffmpeg exe could be found." in found[0]


def test_shipped_weights_are_built_and_read(tmp_path: Path):
    for name in ("good", "cut", "other"):
        save_model(small_model(), tmp_path / name)
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    header = tmp_path / "other" / "model.json"
    header.write_text(header.read_text().replace('"channels": 8', '"channels": 16'))
    found = {finding.text.split(":")[0]: finding for finding in soundness.shipped_weights(tmp_path)}
    assert found["good"].sound
    assert found["good"].text.endswith("sound")
    assert [path for path, finding in found.items() if not finding.sound] == [
        f"{tmp_path}/cut/model.safetensors",
        f"{tmp_path}/other/model.safetensors",
    ]


def test_leftovers_are_named_wherever_they_lie(capsys, root: Path, tmp_path: Path):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / ".a.01234567.partial.mp4").touch()
    _, text = page(capsys, str(tmp_path / "out"))
    assert "deep/.a.01234567.partial.mp4: left by a command that was killed" in text
    assert "1 leftovers" in text
