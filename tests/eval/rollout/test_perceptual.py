"""LPIPS and FVD with random weights in files named as the published ones are. What the published
weights give is not tested: they are not here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.rollout.networks import I3D, LPIPS, filled, read_state
from pixelpush.eval.rollout.perceptual import Perceptual, frechet, load_perceptual
from pixelpush.eval.rollout.video import RolloutVideo

# Of lpips.LPIPS(net="alex").state_dict() and of rgb_imagenet.pt, some of each.
LPIPS_NAMES = {
    "net.slice1.0.weight": (64, 3, 11, 11),
    "net.slice2.3.bias": (192,),
    "net.slice5.10.weight": (256, 256, 3, 3),
    "lin0.model.1.weight": (1, 64, 1, 1),
    "lin4.model.1.weight": (1, 256, 1, 1),
}
I3D_NAMES = {
    "Conv3d_1a_7x7.conv3d.weight": (64, 3, 7, 7, 7),
    "Conv3d_2c_3x3.bn.running_var": (192,),
    "Mixed_3b.b1b.conv3d.weight": (128, 96, 3, 3, 3),
    "Mixed_4f.b3b.bn.bias": (128,),
    "Mixed_5c.b0.conv3d.weight": (384, 832, 1, 1, 1),
    "logits.conv3d.bias": (400,),
}


def video(side: int = 32, steps: int = 8, samples: int = 2, seed: int = 0) -> RolloutVideo:
    draw = np.random.default_rng(seed)

    def pictures(*shape: int) -> np.ndarray:
        return draw.integers(0, 256, (*shape, 3, side, side), dtype=np.uint8)

    heat = np.zeros((steps, side, side), np.float32)
    nothing = np.zeros((steps + 1, 2), np.float32)
    truth = pictures(steps)
    futures = pictures(samples, steps)
    return RolloutVideo(
        "", pictures(2), truth, futures, heat, "surprise", heat.mean((1, 2)), nothing, nothing
    )


def lpips_file(folder: Path) -> Path:
    torch.manual_seed(0)
    state = LPIPS().state_dict()
    for name in state:
        if name.startswith("lin"):
            state[name] = state[name].abs()  # as trained: distances are not negative
    # The published file repeats its linear layers and holds the scaling.
    state["lins.0.model.1.weight"] = state["lin0.model.1.weight"]
    state["scaling_layer.shift"] = torch.zeros(1, 3, 1, 1)
    torch.save(state, folder / "lpips.pth")
    return folder / "lpips.pth"


@pytest.mark.parametrize(
    ("state", "names"),
    [(LPIPS().state_dict(), LPIPS_NAMES), (I3D().blocks.state_dict(), I3D_NAMES)],
    ids=["lpips", "i3d"],
)
def test_weights_have_the_names_and_shapes_of_the_published_files(state, names):
    for name, shape in names.items():
        assert tuple(state[name].shape) == shape


def test_lpips_is_a_distance(tmp_path):
    network = filled(LPIPS(), read_state(lpips_file(tmp_path)), tmp_path)
    found = video()
    a, b = (torch.from_numpy(x) for x in (found.truth, found.samples[0]))
    assert torch.equal(network(a, a), torch.zeros(8))
    torch.testing.assert_close(network(a, b), network(b, a))
    assert (network(a, b) > 0).all()
    near = (a.float() * 0.98).to(torch.uint8)
    assert (network(a, near) < network(a, b)).all()
    # Each picture by itself.
    torch.testing.assert_close(network(a, b)[3:4], network(a[3:4], b[3:4]))


def test_lpips_is_its_definition_layer_by_layer(tmp_path):
    network = filled(LPIPS(), read_state(lpips_file(tmp_path)), tmp_path)
    a, b = (torch.from_numpy(x[:1]) for x in (video().truth, video().samples[0]))
    expected = 0.0
    for number, (x, y) in enumerate(zip(network._features(a), network._features(b), strict=True)):
        weight = network.get_submodule(f"lin{number}.model.1").weight[0, :, 0, 0]
        for row in range(x.shape[2]):
            for column in range(x.shape[3]):
                p, q = x[0, :, row, column], y[0, :, row, column]
                p, q = p / (p.norm() + 1e-10), q / (q.norm() + 1e-10)
                expected += float((weight * (p - q) ** 2).sum()) / (x.shape[2] * x.shape[3])
    assert float(network(a, b)) == pytest.approx(expected, rel=1e-4)


def test_i3d_gives_class_scores_of_each_video_by_itself():
    torch.manual_seed(0)
    network = I3D().eval()
    videos = torch.randint(0, 256, (2, 9, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        both = network(videos)
        alone = network(videos[1:])
    assert both.shape == (2, 400)
    torch.testing.assert_close(both[1:], alone, rtol=1e-3, atol=1e-4)
    assert (both[0] != both[1]).any()


def test_frechet_of_known_gaussians():
    draw = np.random.default_rng(0)
    sample = draw.normal(size=(500, 3))
    sample -= sample.mean(axis=0)
    # Whitened: the covariance is exactly the identity.
    white = sample @ np.linalg.inv(np.linalg.cholesky(np.cov(sample, rowvar=False)).T)
    assert frechet(white, white) == pytest.approx(0, abs=1e-9)
    assert frechet(white, white + np.array([3, 0, 4])) == pytest.approx(25)
    # Standard deviations 1 and s: (1 - s)^2 for each axis.
    assert frechet(white, white * np.array([2, 3, 1])) == pytest.approx(1 + 4)


def test_measures_of_several_rollouts(tmp_path):
    judge = load_perceptual(lpips_file(tmp_path), None, "cpu")
    assert judge is not None
    for seed in range(2):
        judge.add(video(seed=seed))
    report = judge.to_json()
    assert report["episodes"] == 2
    assert len(report["lpips"]["by_step"]) == 8
    assert report["lpips"]["mean"] == pytest.approx(np.mean(report["lpips"]["by_step"]))
    json.dumps(report)
    assert "fvd" not in report


def test_fvd_says_how_many_videos_it_saw():
    judge = Perceptual()
    rows = np.random.default_rng(0).normal(size=(6, 400))
    judge.real, judge.sampled = [rows[:3]], [rows[:3]]
    fvd = judge.to_json()["fvd"]
    assert fvd["value"] == pytest.approx(0, abs=0.01)  # roots of a matrix of low rank
    assert (fvd["real_videos"], fvd["sampled_videos"], fvd["too_few_videos"]) == (3, 3, True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b"junk"), "not a file of weights"),
        (lambda path: torch.save([1, 2], path), "no state dictionary"),
        (lambda path: torch.save({"a": torch.zeros(1)}, path), "net.slice1.0.weight should be"),
    ],
)
def test_a_file_that_is_no_such_network_is_refused(tmp_path, make, message):
    path = tmp_path / "weights.pth"
    make(path)
    with pytest.raises(InputError, match=message):
        load_perceptual(path, None, "cpu")


def test_code_in_a_file_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weight": Bomb()}, tmp_path / "weights.pth")
    with pytest.raises(InputError, match="not a file of weights"):
        read_state(tmp_path / "weights.pth")
    assert not (tmp_path / "ran").exists()


def test_what_cannot_be_measured_is_refused(tmp_path):
    judge = load_perceptual(lpips_file(tmp_path), None, "cpu")
    assert judge is not None
    with pytest.raises(InputError, match="at least 31 pixels"):
        judge.add(video(side=16))
