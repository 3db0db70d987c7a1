"""One process: resume, divergence, budgets, what the run folder says."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_training import CONFIG, MODEL, episodes, run_once, tiny_task

from pixelpush.errors import InputError
from pixelpush.files import read_json
from pixelpush.saved import complete_saves
from pixelpush.training.config import OptimizerConfig, ScheduleConfig
from pixelpush.training.divergence import DivergenceError
from pixelpush.training.metrics import forget_after
from pixelpush.training.video_task import VideoTask
from pixelpush.vpn import load_model
from pixelpush.vpn.scoring import score_episodes, total_score

SHORT = replace(CONFIG, examples=60)
VALUES = {"loss", "nats_per_subpixel", "gradient_norm", "validation_nats_per_subpixel"}


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def final_weights(run: Path) -> bytes:
    return (complete_saves(run)[-1] / "train.safetensors").read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """An uninterrupted run of 60 examples."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("finished")
    run_once(run, SHORT, log_examples=5)
    torch.set_num_threads(before)
    return run


def test_one_process_starts_no_other(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    monkeypatch.setattr("pixelpush.training.run_folder._commit", lambda: None)
    run_once(tmp_path, replace(SHORT, examples=10))


def test_minutes_stop_with_a_save_and_do_not_change_the_weights(finished: Path, tmp_path: Path):
    calls = 0
    while not (tmp_path / "final.json").exists():
        # a budget that is over after the first step; saves by themselves are far apart
        run_once(tmp_path, SHORT, minutes=1e-9, save_examples=1000, log_examples=5)
        calls += 1
    assert calls == 12
    assert final_weights(tmp_path) == final_weights(finished)
    keys = ("examples", "loss", "learning_rate", "validation_nats_per_subpixel")
    assert [[line.get(key) for key in keys] for line in lines(tmp_path)] == [
        [line.get(key) for key in keys] for line in lines(finished)
    ]


@pytest.mark.parametrize("options", [{"accumulate": 3}, {"accumulate": 5, "workers": 3}])
def test_accumulation_gives_the_same_run(finished: Path, tmp_path: Path, options: dict):
    run_once(tmp_path, SHORT, log_examples=5, **options)
    for ours, whole in zip(lines(tmp_path), lines(finished), strict=True):
        assert {key: ours[key] for key in VALUES & ours.keys()} == pytest.approx(
            {key: whole[key] for key in VALUES & whole.keys()}, rel=1e-4
        )


def test_threads_and_intervals_do_not_change_the_weights(finished: Path, tmp_path: Path):
    run_once(
        tmp_path, SHORT, workers=3, save_examples=20, validate_examples=10, log_examples=30, keep=1
    )
    assert final_weights(tmp_path) == final_weights(finished)


def test_metrics_and_run_folder_say_what_happened(finished: Path):
    steps = [line for line in lines(finished) if "step" in line]
    assert [line["examples"] for line in steps] == list(range(5, 61, 5))
    for line in steps:
        assert {
            "nats_per_subpixel",
            "learning_rate",
            "frames_per_second",
            "waiting_share",
        } <= line.keys()
        assert 0 <= line["waiting_share"] <= 1
    config = json.loads((finished / "config.json").read_text())
    assert config["train"]["seed"] == 3
    assert config["task"]["model"]["channels"] == MODEL["channels"]
    assert config["versions"]["torch"] == torch.__version__
    best = json.loads((finished / "best.json").read_text())
    scores = [
        line["validation_nats_per_subpixel"]
        for line in lines(finished)
        if "validation_nats_per_subpixel" in line
    ]
    assert best["validation_nats_per_subpixel"] == min(scores)


def test_published_weights_give_the_reported_score(finished: Path):
    best = json.loads((finished / "best.json").read_text())
    scores = score_episodes(
        load_model(finished), episodes(5, first=100), context=2, clip_frames=4, batch_size=3
    )
    nats, subpixels = total_score(scores)
    assert nats / subpixels == pytest.approx(best["validation_nats_per_subpixel"], rel=1e-6)


def test_a_finished_run_is_left_alone(finished: Path):
    def stamps() -> dict:
        return {item: item.stat().st_mtime_ns for item in finished.rglob("*.*") if item.is_file()}

    before = stamps()
    run_once(finished, SHORT)
    after = stamps()
    assert {item.name for item in after if after[item] != before.get(item)} <= {
        "best.json",
        "metrics.jsonl",
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"batch_size": 6}, r"train\.batch_size = 5, the command asks for 6"),
        ({"examples": 70}, r"train\.examples = 60, the command asks for 70"),
        (
            {"optimizer": replace(CONFIG.optimizer, learning_rate=0.5)},
            r"train\.optimizer\.learning_rate",
        ),
    ],
)
def test_another_configuration_does_not_resume(finished: Path, change: dict, named: str):
    with pytest.raises(InputError, match=named):
        run_once(finished, replace(SHORT, **change))


def test_other_data_or_model_do_not_resume(finished: Path):
    fewer = VideoTask("ot", MODEL, CONFIG.data, episodes(12), episodes(5, first=100))
    with pytest.raises(InputError, match=r"task\.training\.episodes = 13, the command asks for 12"):
        run_once(finished, SHORT, fewer)
    wider = VideoTask(
        "ot", {**MODEL, "channels": 16}, CONFIG.data, episodes(13), episodes(5, first=100)
    )
    with pytest.raises(InputError, match=r"task\.model\.channels = 8, the command asks for 16"):
        run_once(finished, SHORT, wider)


def test_a_schedule_without_an_end_can_be_prolonged(tmp_path: Path):
    config = replace(SHORT, schedule=ScheduleConfig(kind="constant"))
    run_once(tmp_path / "short", replace(config, examples=30))
    run_once(tmp_path / "short", config)
    assert read_json(tmp_path / "short" / "final.json")["examples"] == config.examples
    run_once(tmp_path / "long", config)
    assert final_weights(tmp_path / "short") == final_weights(tmp_path / "long")


class Faulty(VideoTask):
    """The loss is infinite, or only a gradient is NaN, once an episode is in the batch's third
    position."""

    fault = "loss"

    def losses(self, model, batch):
        losses = super().losses(model, batch)
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == 4:
            if self.fault == "loss":
                losses["loss"] = losses["loss"] * float("inf")
            else:
                weight = next(iter(model.module.parameters()))
                weight.register_hook(lambda gradient: gradient * float("nan"))
        return losses


@pytest.mark.parametrize("fault", ["loss", "gradient"])
def test_divergence_names_step_parameter_and_batch_and_keeps_the_last_save(
    tmp_path: Path, fault: str
):
    task = Faulty("ot", MODEL, CONFIG.data, episodes(13), episodes(5, first=100))
    task.fault = fault
    with pytest.raises(DivergenceError) as caught:
        run_once(tmp_path, SHORT, task)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("step 4 (after 15 examples)")
    report = json.loads((tmp_path / "divergence.json").read_text())
    names = [name for name, _ in task.build_model().named_parameters()]
    assert report["parameter"] in names
    if fault == "gradient":
        assert report["parameter"] == names[0]
    assert f"first non-finite gradient: {report['parameter']}" in message
    assert len(report["batch"]) == 5
    assert all(name in message for name in report["batch"])
    saves = complete_saves(tmp_path)
    assert saves[-1].name == "0000000015"
    assert str(saves[-1]) in message
    run_once(tmp_path, SHORT)  # the fault gone, the same command goes on from there
    assert complete_saves(tmp_path)[-1].name == "0000000060"


def test_runaway_weights_are_caught_whatever_shows_first(tmp_path: Path):
    config = replace(SHORT, optimizer=OptimizerConfig(learning_rate=1e6), schedule=ScheduleConfig())
    with pytest.raises(InputError, match=r"not finite|finite numbers"):
        run_once(tmp_path, config)
    for save in complete_saves(tmp_path):
        model = load_model(save)
        assert all(torch.isfinite(p).all() for p in model.parameters())


def test_two_trainings_do_not_share_a_run_folder(finished: Path):
    from pixelpush.training.run_folder import locked

    with locked(finished), pytest.raises(InputError, match="another process is training"):
        run_once(finished, SHORT)


def test_a_run_folder_that_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        run_once(tmp_path / "file", SHORT)


def test_sigterm_saves_and_stops(tmp_path: Path):
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    # the flag is read before a step, so the step after the signal's is the last
    assert run_once(tmp_path, SHORT, stop_after=3, save_examples=1000).examples == 20
    assert signal.getsignal(signal.SIGTERM) is before
    assert complete_saves(tmp_path)[-1].name == "0000000020"


def test_a_disk_that_fills_while_writing_metrics_is_one_clear_line(tmp_path: Path, monkeypatch):
    import builtins

    real = open

    def full(file, mode="r", *rest, **options):
        if str(file).endswith("metrics.jsonl") and mode == "a":
            raise OSError(errno.ENOSPC, "No space left on device", str(file))
        return real(file, mode, *rest, **options)

    monkeypatch.setattr(builtins, "open", full)
    with pytest.raises(InputError, match=r"metrics\.jsonl: the disk is full"):
        run_once(tmp_path, SHORT)


def test_samples_are_drawn_at_intervals_and_change_nothing(finished: Path, tmp_path: Path):
    from pixelpush.training.config import RunOptions
    from pixelpush.training.loop import train

    drawn = []

    def draw(model, folder: Path) -> None:
        assert not model.training
        torch.rand(3)
        drawn.append(folder.name)

    options = RunOptions(accelerator="cpu", quiet=True, sample_examples=25, save_examples=20)
    train(tiny_task(), SHORT, tmp_path, options, draw_samples=draw)
    assert drawn == ["0000000025", "0000000050", "0000000060"]
    assert final_weights(tmp_path) == final_weights(finished)


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "trackio"])
def test_a_missing_tracker_is_refused_before_anything_starts(tmp_path: Path, monkeypatch, name):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(InputError, match=rf"pip install 'pixelpush\[{name}\]'"):
        run_once(tmp_path / "run", SHORT, track=(name,))
    assert not (tmp_path / "run").exists()


def test_checkpointing_gives_the_same_gradients(finished: Path, tmp_path: Path):
    run_once(tmp_path, SHORT, checkpointing=True, log_examples=5)
    for ours, plain in zip(lines(tmp_path), lines(finished), strict=True):
        assert {key: ours[key] for key in VALUES & ours.keys()} == pytest.approx(
            {key: plain[key] for key in VALUES & plain.keys()}, rel=1e-5
        )


@pytest.mark.slow  # a minute of compiling
@pytest.mark.filterwarnings("ignore")  # of the compiler's own
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("options", [{}, {"checkpointing": True}], ids=["plain", "checkpointing"])
def test_compiled_runs_validate_resume_and_give_the_same_losses(
    finished: Path, tmp_path: Path, options: dict
):
    run_once(
        tmp_path, SHORT, compile=True, log_examples=5, validate_examples=5, stop_after=1, **options
    )
    run_once(tmp_path, SHORT, compile=True, log_examples=5, **options)
    ours, whole = ([line for line in lines(run) if "loss" in line] for run in (tmp_path, finished))
    for found, wanted in zip(ours, whole, strict=True):
        assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-4)


def test_bf16_trains(finished: Path, tmp_path: Path):
    run_once(tmp_path, replace(SHORT, precision="bf16"), log_examples=5)
    ours = [line["loss"] for line in lines(tmp_path) if "loss" in line]
    full = [line["loss"] for line in lines(finished) if "loss" in line]
    assert ours == pytest.approx(full, rel=0.03)
    assert ours != full


def test_bf16_leaves_the_inputs_as_they_are(tmp_path: Path, monkeypatch):
    """A commanded pose differs from the present one by less than bfloat16 can tell of either."""
    seen, build = [], VideoTask.build_model

    def watched(task):
        model = build(task)
        model.register_forward_pre_hook(
            lambda _, given: seen.append([str(tensor.dtype) for tensor in given[:3]])
        )
        return model

    monkeypatch.setattr(VideoTask, "build_model", watched)
    run_once(tmp_path, replace(SHORT, precision="bf16"))
    assert seen
    assert all(kinds == ["torch.uint8", "torch.float32", "torch.float32"] for kinds in seen)


def test_a_run_starts_from_given_weights(finished: Path, tmp_path: Path):
    still = replace(
        SHORT, start=str(finished), optimizer=replace(SHORT.optimizer, learning_rate=1e-12)
    )
    run_once(tmp_path / "run", still)
    for (name, ours), theirs in zip(
        load_model(tmp_path / "run").state_dict().items(),
        load_model(finished).state_dict().values(),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, msg=name)
    with pytest.raises(InputError, match="neither a run folder"):
        run_once(tmp_path / "other", replace(still, start="nowhere"))
    run_once(
        tmp_path / "other", still
    )  # the mistake left nothing that refuses the corrected command


def test_lines_of_steps_to_be_done_again_are_forgotten(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"examples": 5}\n{"examples": 10}\n{"examples": 15}\n{"exam')
    forget_after(path, 10)
    assert path.read_text() == '{"examples": 5}\n{"examples": 10}\n'
