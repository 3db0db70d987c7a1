"""What holds for every reader: splits, short and damaged episodes, places, recognition."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.datasets import open_dataset
from pixelpush.datasets.prepare import StoreOptions, prepare
from pixelpush.datasets.readers import READERS, find_reader, recognise
from pixelpush.datasets.splits import default_split, divide_names
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


@pytest.fixture
def raw(tmp_path):
    """Makes so many .npz episodes; those in ``bad`` have a state that is no number."""

    def make(count, bad=(), actions=None):
        folder = tmp_path / "raw"
        folder.mkdir()
        for number in range(count):
            rng = np.random.default_rng(number)
            states = 0.3 + np.cumsum(rng.normal(size=(6, 2)) * 0.01, axis=0)
            change = np.concatenate([np.diff(states, axis=0), np.zeros((1, 2))])
            states[3, 1] = np.nan if number in bad else states[3, 1]
            frames = rng.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
            np.savez(folder / f"run{number}.npz", frames=frames, states=states, actions=change)
        return folder

    return make


def counts(path):
    return {split: len(EpisodeStore(path, split)) for split in store_splits(path)}


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "val": 1}),
        (3, {"train": 1, "val": 1, "test": 1}),
        (9, {"train": 7, "val": 1, "test": 1}),
        (10, {"train": 8, "val": 1, "test": 1}),
    ],
)
def test_few_episodes_split_usefully(raw, tmp_path, total, expected, capsys):
    """Validation gets an episode wherever there are two; where there is one, that is said."""
    prepare("folder", raw(total), tmp_path / "store", size=16)
    assert counts(tmp_path / "store") == expected
    assert ("--validation-split none" in capsys.readouterr().err) == ("val" not in expected)


@pytest.mark.parametrize("total", range(1, 40))
def test_the_default_split_and_every_suggestion_work(total):
    names = [str(number) for number in range(total)]
    assert sum(map(len, divide_names(names, default_split(total), None).values())) == total
    with pytest.raises(InputError, match=f"like {default_split(total)}") as caught:
        divide_names(names, "0.99/0.005/0.005", None)
    suggestion = str(caught.value).rsplit("like ", 1)[1].rstrip(".")
    assert divide_names(names, suggestion, None)["train"]


def test_damage_of_a_users_own_data(raw, tmp_path):
    folder = raw(4, bad=(1, 2))
    with pytest.raises(InputError, match=r"run1\.npz: array 'states', row 4: not a finite number"):
        prepare("folder", folder, tmp_path / "store", size=16)
    with pytest.raises(InputError, match="More than 1 damaged"):
        prepare("folder", folder, tmp_path / "store", size=16, damage_limit=1, split="4/0/0")
    assert not (tmp_path / "store").exists()
    prepare("folder", folder, tmp_path / "store", size=16, damage_limit=2, split="4/0/0")
    store = EpisodeStore(tmp_path / "store", "train")
    assert [episode.id for episode in store] == ["run0", "run3"]
    assert len(store.metadata["damaged_records"]) == 2


@pytest.mark.parametrize("declared", [None, "pose", "delta", "other"])
def test_the_kind_of_actions(raw, tmp_path, declared):
    settings = {} if declared is None else {"action_kind": declared}
    prepare("folder", raw(4), tmp_path / "store", size=16, **settings)
    store = EpisodeStore(tmp_path / "store", "train")
    assert store.action_kind == (declared or "delta")
    assert store.metadata["action_kind_from"].startswith("declared" if declared else "measured")


def test_an_import_ends_with_its_page(raw, tmp_path, capsys):
    prepare("folder", raw(3), tmp_path / "store", size=16)
    out = capsys.readouterr().out
    assert "store: 3 episodes, 18 frames" in out
    assert "actions are deltas" in out
    assert (tmp_path / "store" / "contact-sheet.png").is_file()


def test_where_stores_go(raw, tmp_path, monkeypatch):
    folder = raw(3)
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "root"))
    assert prepare("folder", folder, size=16) == tmp_path / "root" / "raw"
    assert len(open_dataset("raw", "train")) == 1
    with pytest.raises(InputError, match="already exists; give another --out, or --overwrite"):
        prepare("folder", folder, size=16)
    prepare("folder", folder, size=16, overwrite=True)
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "file" / "root"))
    with pytest.raises(InputError, match=r"cannot be made .*\$PIXELPUSH_DATA"):
        prepare("folder", folder, size=16)
    with pytest.raises(InputError, match=r"cannot be made .*--out"):
        prepare("folder", folder, tmp_path / "file" / "x" / "store", size=16)


def test_settings_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="prepare bair takes no setting 'camera'"):
        prepare("bair", tmp_path, camera="left")
    with pytest.raises(InputError, match="no reader 'x'; there are google-push, bair"):
        prepare("x", tmp_path)


def test_one_table_of_readers():
    """Every row leads to a module with what prepare and the command line need."""
    for reader in READERS:
        module = find_reader(reader.name).load()
        assert module.Options()
        assert callable(module.read)
        assert callable(module.recognise)
        clash = set(module.Options.__dataclass_fields__) & set(StoreOptions.__dataclass_fields__)
        assert not clash


def test_what_is_not_recognised(raw, tmp_path):
    assert recognise(raw(2))[0].name == "folder"
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "x.bag").write_bytes(b"x")
    with pytest.raises(InputError, match=r"odd: not recognised \(it holds x\.bag\)"):
        recognise(tmp_path / "odd")
    with pytest.raises(InputError, match="no such file or folder"):
        recognise(tmp_path / "nowhere")


def test_splits_of_the_source_can_be_replaced_where_they_can_be_listed(tmp_path, google_example):
    from tfrecord_writer import frame_record

    folder = tmp_path / "push"
    folder.mkdir()
    path = folder / "push_train.tfrecord-00000-of-00001"
    path.write_bytes(frame_record(google_example()))
    with pytest.raises(InputError, match="--split 1/0/0: this set has splits of its own"):
        prepare("google-push", folder, tmp_path / "store", split="1/0/0")
