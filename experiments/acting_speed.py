"""How fast one can act in a model: driving, the way from key to picture, and planning.

python -m experiments.acting_speed
python -m experiments.acting_speed --models push-ot-small push-otlogn-small --threads 1 2

Driving is a session without a page; the way from key to picture goes through the websocket of a
real server, at the page's own temperature; seconds to the page count from the command's start.
Candidate frames are those of the planner's batch. JSON goes to --json; the load of the machine is
told with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from pixelpush.eval.driving.driver import Driver
from pixelpush.eval.driving.server import make_server
from pixelpush.eval.driving.session import Sampling, Session, Source
from pixelpush.eval.environments.beginnings import Beginning, begin_bin
from pixelpush.eval.planning.predictors import Aim, ModelPredictor, planning_world
from pixelpush.files import write_json
from pixelpush.vpn import VideoPixelNetwork, load_model

HEADLESS = ("--port", "0", "--no-browser")


@dataclass(frozen=True)
class Options:
    """What to time."""

    models: tuple[str, ...] = ("push-ot-small",)
    """Shipped models or run folders."""
    threads: tuple[int, ...] = (1, 2)
    """Threads on a CPU."""
    candidates: int = 24
    """Candidates of a batch."""
    frames: int = 30
    """Frames that are timed in each case."""
    json: Path = Path("docs/results/acting_speed.json")
    """Where the figures go."""


def main(options: Options) -> None:
    """Print and write all figures."""
    rows: list[dict[str, Any]] = []
    for name in options.models:
        model = load_model(name, family="video")
        for threads in options.threads:
            torch.set_num_threads(threads)
            row: dict[str, Any] = {"model": name, "threads": threads}
            row["load"] = round(os.getloadavg()[0], 1)
            for name_of, world in worlds(model).items():
                row[f"drive_{name_of}"] = drive_speed(model, world, options.frames)
                row[f"candidates_{name_of}"] = planner_speed(model, world, options)
            row["key_to_picture"] = key_to_picture(model)
            command = [sys.executable, "-m", "pixelpush", "drive", "--model", name]
            row["seconds_to_page"] = round(served_page([*command, *HEADLESS], threads)[0], 1)
            rows.append(row)
            print(json.dumps(row), flush=True)
    write_json(options.json, {"format": "pixelpush-acting-speed", "version": 1, "rows": rows})


def worlds(model: VideoPixelNetwork) -> dict[str, Sampling]:
    """The ways of predicting that are timed, by name."""
    found = {f"sample_{t:g}": Sampling("sample", t) for t in (0.5, 1.0)}
    return {**found, "mean": Sampling("mean")} if model.config.composes else found


def timed(work: Callable[[], object], frames: int) -> dict[str, float]:
    """Frames per second of wall time and of processor time."""
    wall = time.perf_counter()
    processor = time.process_time()
    work()
    return {
        "frames_per_second": round(frames / (time.perf_counter() - wall), 1),
        "frames_per_processor_second": round(frames / (time.process_time() - processor), 1),
    }


def beginning(model: VideoPixelNetwork) -> Beginning:
    """An episode of the simulated bin: how fast a tempered frame is drawn depends on how sure the
    model is. For other robots' models two frames of noise."""
    c = model.config
    if (c.colours, c.state_dim, c.action_dim) == (3, 5, 5):
        return begin_bin("sim", "val", 2, c.frame_size)[1]
    draw = np.random.default_rng(0)
    size = (2, c.colours, c.frame_size, c.frame_size)
    frames = draw.integers(0, 256, size).astype(np.uint8)
    states = np.zeros((2, c.state_dim), np.float32)
    return Beginning(frames, states, np.zeros((1, c.action_dim), np.float32), "noise")


def new_session(model: VideoPixelNetwork, sampling: Sampling) -> Session:
    """A session without physics beside it."""
    source = Source(data="", given=beginning(model), simulated=False)
    return Session(model, source, sampling)


def drive_speed(model: VideoPixelNetwork, sampling: Sampling, frames: int) -> dict[str, float]:
    """Frames a second of a session, batch 1, float32."""
    session = new_session(model, sampling)
    held = np.zeros(model.config.action_dim, np.float32)

    def drive() -> None:
        for number in range(frames):
            held[:2] = np.cos(number / 3), np.sin(number / 3)  # round in a circle
            session.step(held)

    session.step(held)
    return timed(drive, frames)


def planner_speed(
    model: VideoPixelNetwork, sampling: Sampling, options: Options
) -> dict[str, float]:
    """Candidate frames a second of the planner, bfloat16."""
    sample = sampling.prediction == "sample"
    predictor = ModelPredictor(planning_world(model, sample, sampling.temperature))
    begun = beginning(model)
    predictor.begin(begun.frames, begun.states, begun.actions)
    length = max(1, options.frames // 10)
    actions = np.tile(begun.actions[-1], (options.candidates, length, 1))
    aim = Aim(np.array([30.0, 20.0]), np.array([40.0, 20.0]))
    predictor.costs(actions[:, :1], aim)
    return timed(lambda: predictor.costs(actions, aim), options.candidates * length)


def key_to_picture(model: VideoPixelNetwork, presses: int = 10) -> dict[str, float]:
    """Milliseconds from a key's message to the frame that it led to, through a real server."""
    from websockets.sync.client import connect

    with tempfile.TemporaryDirectory() as out:
        driver = Driver(new_session(model, Sampling()), Path(out))
        server = make_server(driver, "token", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            with connect(f"ws://127.0.0.1:{port}/drive?token=token") as page:
                found = [_press(page, model.config.action_dim) for _ in range(presses)]
        finally:
            server.should_exit = True
            thread.join()
    return {"median_ms": round(1000 * float(np.median(found)), 1)}


def _press(page: Any, width: int) -> float:
    """Hold a key until a frame comes; then let go, and wait for what is still under way."""
    started = time.perf_counter()
    page.send(json.dumps({"type": "hold", "held": [1.0] + [0.0] * (width - 1)}))
    while isinstance(page.recv(), str):
        pass
    seconds = time.perf_counter() - started
    page.send(json.dumps({"type": "hold", "held": [0.0] * width}))
    try:
        while True:
            page.recv(timeout=0.5)
    except TimeoutError:
        return seconds


def served_page(command: Sequence[str], threads: int = 1) -> tuple[float, str]:
    """(seconds, text): from the start of a command until the page is there at the address that it
    prints; then it is interrupted, as by Ctrl-C."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )
    try:
        assert process.stdout is not None
        words = (word for line in process.stdout for word in line.split())
        address = next((word for word in words if word.startswith("http://")), None)
        if address is None:
            raise SystemExit(f"{' '.join(command)}: printed no address.")
        with urllib.request.urlopen(address) as page:
            text = page.read().decode()
        return time.perf_counter() - started, text
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate()


if __name__ == "__main__":
    main(tyro.cli(Options))
