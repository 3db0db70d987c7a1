"""What ``pixelpush drive`` does: load a model, begin a session, serve it."""

from __future__ import annotations

import socket
import threading
import webbrowser
from pathlib import Path

from pixelpush.datasets import is_simulated
from pixelpush.datasets.sim.names import parse_name
from pixelpush.errors import InputError
from pixelpush.eval.devices import pick_device
from pixelpush.eval.driving.driver import Driver
from pixelpush.eval.driving.server import HOST, make_server, new_token
from pixelpush.eval.driving.session import Sampling, Session, Source
from pixelpush.eval.driving.settings import DriveSettings
from pixelpush.eval.environments.beginnings import Beginning
from pixelpush.eval.likelihood.runs import RunFacts, check_fit, run_facts
from pixelpush.eval.rollout.context_folder import read_context_folder
from pixelpush.files import expanded
from pixelpush.vpn import VideoConfig, load_model


def begin_session(start: DriveSettings) -> Session:
    """A session at its first frame.

    >>> begin_session(DriveSettings(model="nowhere"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    """
    model = load_model(start.model, pick_device(start.device), family="video")
    facts = run_facts(start.model)
    source = _source(start, model.config, facts)
    sampling = Sampling(start.sampler, start.temperature, start.seed)
    return Session(model, source, sampling, start.precision)


def drive(start: DriveSettings, port: int, out: Path, browser: bool) -> None:
    """Serve a session until it is interrupted. Raises InputError where the port is taken.

    >>> with socket.socket() as taken:
    ...     taken.bind((HOST, 0))
    ...     taken.listen()
    ...     port = taken.getsockname()[1]
    ...     try:
    ...         drive(DriveSettings(), port, Path("drives"), browser=False)
    ...     except InputError as error:
    ...         print(str(error).replace(str(port), "PORT"))
    --port PORT: is taken by another program; choose another, or 0 for a free one.
    """
    _check_port(port)
    driver = Driver(begin_session(start), out)
    token = new_token()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, port))
    listening.listen()  # who is quicker than the server waits instead of being refused
    address = f"http://{HOST}:{listening.getsockname()[1]}/?token={token}"
    print(f"drive {start.model}: {address}\nCtrl-C ends it.", flush=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    make_server(driver, token, port).run(sockets=[listening])


def _source(start: DriveSettings, config: VideoConfig, facts: RunFacts) -> Source:
    if is_simulated(start.data):
        check_fit(start.model, vars(config), start.data)
        laboratory = parse_name(start.data)[0]
        return Source(laboratory, start.split, start.episode)
    folder = expanded(start.data)
    if folder.is_dir() and not (folder / "store.json").exists():
        frames, states, actions = read_context_folder(
            folder, config, facts.context, 0, facts.metadata
        )
        given = Beginning(frames, states, actions[: len(frames) - 1], folder.resolve().name)
        return Source(start.data, given=given, simulated=False)
    check_fit(start.model, vars(config), start.data)
    return Source(start.data, start.split, start.episode, simulated=False)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise InputError(
                f"--port {port}: is taken by another program; choose another, or 0 for a free one."
            ) from None
