"""open_dataset: a path, a name, or a message that lists the known names."""

from __future__ import annotations

import pytest

from pixelpush.datasets import available, data_root, open_dataset
from pixelpush.datasets.sim import opening
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


def test_data_root(root, monkeypatch):
    assert data_root() == root
    monkeypatch.delenv("PIXELPUSH_DATA")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(data_root()) == "/home/someone/.cache/pixelpush"


def test_by_path_and_by_name(root, tmp_path, make_episode):
    write_store(root / "bair", {"test": [make_episode(0)]}, {})
    write_store(tmp_path / "mine", {"val": [make_episode(1), make_episode(2)]}, {})
    assert len(open_dataset("bair", "test")) == 1
    assert len(open_dataset(tmp_path / "mine", "val")) == 2
    assert len(open_dataset(str(tmp_path / "mine"), split="val")) == 2
    assert available() == ["sim", "sim-diverse", "sim-cameras", "bair"]


def test_options_go_to_the_simulated_bin(monkeypatch):
    monkeypatch.setattr(
        opening, "open_sim", lambda laboratory, split, **options: (laboratory, split, options)
    )
    assert open_dataset("sim", split="test-novel", size=128) == ("sim", "test-novel", {"size": 128})


def test_unknown(root, tmp_path, make_episode):
    write_store(root / "mine", {"test": [make_episode(0)]}, {})
    with pytest.raises(
        InputError,
        match=r"known ones are sim, sim-diverse, sim-cameras, mine.*pixelpush prepare --raw",
    ):
        open_dataset("nothing", "train")
    with pytest.raises(
        InputError, match="'google-push' is not prepared; run 'pixelpush prepare google-push"
    ):
        open_dataset("google-push", "train")
    with pytest.raises(InputError, match="known ones are"):
        open_dataset("../root/mine", "test")
    with pytest.raises(InputError, match="takes no options, got size"):
        open_dataset("mine", "test", size=3)
    with pytest.raises(InputError, match="not a store"):
        open_dataset(tmp_path, "test")


def test_the_number_of_simulated_training_episodes_may_stand_in_the_name():
    from pixelpush.datasets import is_simulated
    from pixelpush.datasets.sim.names import parse_name

    assert is_simulated("sim")
    assert is_simulated("sim:12")
    assert not is_simulated("simple")
    assert is_simulated("sim-diverse")
    assert is_simulated("sim-cameras:12")
    assert parse_name("sim:12") == ("sim", 12)
    assert parse_name("sim-cameras") == ("sim-cameras", None)
    with pytest.raises(InputError, match="number of training episodes"):
        open_dataset("sim:many", "train")
