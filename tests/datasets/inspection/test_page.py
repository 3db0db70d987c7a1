"""The page about a data set says what is there, by values that were put there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.inspection import (
    Measurement,
    contact_sheet,
    inspect_dataset,
    inspect_store,
    near_constant,
)
from pixelpush.datasets.inspection.page import page
from pixelpush.datasets.inspection.run import inspect_named
from pixelpush.datasets.store import EpisodeStore, write_store
from pixelpush.errors import InputError


def episode(seed, length=20, times=None, kind="pose", still=()):
    rng = np.random.default_rng(seed)
    states = 0.3 + np.cumsum(rng.normal(size=(length, 2)) * 0.01, axis=0)
    following = np.concatenate([states[1:], states[-1:]])
    frames = rng.integers(0, 256, (length, 3, 16, 16), dtype=np.uint8)
    for first, last in still:
        frames[first : last + 1] = frames[first]
    return Episode(
        frames,
        states.astype(np.float32),
        (following if kind == "pose" else following - states).astype(np.float32),
        f"e{seed}",
        {} if times is None else {"time": np.asarray(times, float)},
    )


def measured(episodes, metadata=None):
    measurement = Measurement(metadata)
    for one in episodes:
        measurement.add(one)
    return measurement


def test_statistics_are_numpys():
    episodes = [episode(seed, length=5 + seed) for seed in range(9)]
    found = measured(episodes)
    states = np.concatenate([e.states for e in episodes]).astype(float)
    actions = np.concatenate([e.actions[:-1] for e in episodes]).astype(float)
    for vector, rows in ((found.states, states), (found.actions, actions)):
        np.testing.assert_allclose(vector.mean, rows.mean(0), rtol=1e-12)
        np.testing.assert_allclose(vector.deviation, rows.std(0), rtol=1e-10)
        np.testing.assert_array_equal(vector.low, rows.min(0))
        np.testing.assert_array_equal(vector.high, rows.max(0))
    assert found.lengths == list(range(5, 14))


@pytest.mark.parametrize("kind", ["pose", "delta"])
def test_kind_and_lag(kind):
    found = measured([episode(seed, kind=kind) for seed in range(8)])
    text = page("mine", found, {})
    assert found.action_kind() == kind
    assert f"({kind}, measured)" in text
    assert "up to frame t + 1 (correlation 1.00)" in text
    other = "delta" if kind == "pose" else "pose"
    declared = page("mine", found, {"action_kind": other, "action_kind_from": "declared"})
    assert f"note: actions are declared {other}, but look like {kind}" in declared


def test_still_frames():
    episodes = [episode(0), episode(1, still=[(4, 9)]), episode(2, still=[(0, 1), (17, 19)])]
    text = page("mine", measured(episodes), {})
    assert "frames that repeat the one before: 8 of 57 (14.0%)" in text
    assert "the longest still: 6 frames from frame 4 of e1" in text


def test_rates_and_gaps_in_time():
    even = np.arange(20) / 10
    gap = even + np.where(np.arange(20) >= 7, 0.4, 0.0)
    back = even.copy()
    back[12] = back[11] - 0.05
    episodes = [episode(0, times=even), episode(1, times=gap), episode(2, times=back)]
    text = page("mine", measured(episodes), {"fps": 10})
    assert "rate: 10 frames a second by the source, 10 by the recorded times" in text
    assert "note: 3 gaps in time: 0.500 s after frame 6 of e1" in text
    assert "differ by more than a tenth" in page("mine", measured(episodes), {"fps": 15})
    assert "gaps" not in page("mine", measured([episode(0, times=even)]), {})


@pytest.mark.parametrize(
    ("spread", "word"),
    [(0.0, "constant"), (1e-6, "nearly constant"), (5e-5, "nearly constant"), (2e-3, "")],
)
def test_constant_entries(spread, word):
    changed = []
    for seed in range(4):
        one = episode(seed, length=200)
        one.states[:, 1] = 0.5 + spread * np.random.default_rng(seed).normal(size=200)
        changed.append(one)
    names = {"state_names": ["x", "height"], "action_names": ["x", "height"]}
    text = page("mine", measured(changed), names)
    line = next(line for line in text.splitlines() if line.startswith("height"))
    assert line.rstrip().endswith(word or line[-8:])
    assert ("note: height: (nearly) constant states" in text) == bool(word)


def test_near_constant():
    found = near_constant(np.array([0, 0.5, 5e5, 1e3]), np.array([0, 9e-5, 0.1, 1e-2]))
    assert found.tolist() == [True, True, True, False]


def test_lag_that_is_shifted_rows():
    shifted = []
    for seed in range(8):
        one = episode(seed, kind="delta")
        late = np.concatenate([np.zeros((1, 2)), one.actions[:-1]]).astype(np.float32)
        shifted.append(replace(one, actions=late))
    text = page("mine", measured(shifted), {})
    assert "up to frame t + 0" in text
    assert "are rows shifted?" in text


def test_a_store_and_its_sheet(tmp_path, make_episode):
    episodes = [make_episode(seed, length=5, size=16) for seed in range(3)]
    path = write_store(tmp_path / "s", {"train": episodes[:2], "val": episodes[2:]}, {"fps": 5.0})
    text = inspect_store(path)
    assert "s: 3 episodes, 15 frames; 5 to 5 frames each" in text
    assert (path / "page.txt").read_text().strip() in text
    sheet = cv2.imread(str(path / "contact-sheet.png"))[..., ::-1]
    assert sheet.shape == (2 * 18 - 2, 10 * 18 - 2, 3)
    np.testing.assert_array_equal(sheet[:16, 18:34], episodes[0].frames[1].transpose(1, 2, 0))
    np.testing.assert_array_equal(sheet[18:34, :16], episodes[1].frames[0].transpose(1, 2, 0))
    assert len(EpisodeStore(path, "train")) == 2  # the page does not disturb the store
    again = inspect_store(path, limit=1, out=tmp_path / "elsewhere")
    assert "2 episodes (of 3, spread evenly)" in again
    assert (tmp_path / "elsewhere" / "contact-sheet.png").is_file()
    part = inspect_store(path, out=tmp_path / "part", split="val")
    assert "s: 1 episode, 5 frames" in part
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be written to .*--out"):
        inspect_store(path, out=tmp_path / "file")


def test_grey_frames_and_sets_without_vectors(tmp_path, make_episode):
    class Grey:
        name = "grey"

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return make_episode(3, length=12, size=16, channels=1, state=0, action=0)

    text = inspect_dataset(Grey(), tmp_path / "out")
    assert "states: none" in text
    assert "actions: none" in text
    sheet = cv2.imread(str(contact_sheet(Grey(), tmp_path / "sheet.png")))
    assert (sheet[..., 0] == sheet[..., 1]).all()


def test_one_split_of_a_store_by_name(tmp_path, make_episode, monkeypatch):
    """--split was ignored for stores, whatever it named."""
    episodes = [make_episode(seed, length=5, size=16) for seed in range(3)]
    path = write_store(tmp_path / "s", {"train": episodes[:2], "val": episodes[2:]}, {})
    monkeypatch.chdir(tmp_path)
    assert "s: 1 episode, 5 frames" in inspect_named(str(path), "val", 9, None)
    assert (tmp_path / "inspect-s-val" / "page.txt").is_file()
    assert not (path / "page.txt").exists()  # the store's own page is of all of it
    with pytest.raises(InputError, match=r"no split 'nowhere'.*train, val"):
        inspect_named(str(path), "nowhere", 9, None)
    assert "s: 3 episodes, 15 frames" in inspect_named(str(path), None, 9, None)
    assert (path / "page.txt").is_file()
