"""Runs a session for its viewers: the model goes on while something is held, at its own speed.

The session is called from one thread. Every viewer has room for one frame, the newest: a slow
viewer misses frames and delays nobody. When a viewer disconnects, what it held is released."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.driving.messages import (
    Change,
    Hold,
    Message,
    Plain,
    Reset,
    pack_view,
    read_message,
)
from pixelpush.eval.driving.recording import new_folder, save_drive
from pixelpush.eval.driving.session import Session, View

FASTEST = 20.0  # frames a second
Result = TypeVar("Result")


class Viewer:
    """One connected page: what it holds, and what waits to be sent to it.

    >>> viewer = Viewer(width=5)
    >>> viewer.tell("saved")
    >>> viewer.show(b"a frame")
    >>> viewer.holds, asyncio.run(viewer.next())
    (False, ['saved', b'a frame'])
    """

    def __init__(self, width: int):
        self.hold = Hold(np.zeros(width, np.float32))
        self._frame: bytes | None = None
        self._texts: list[str] = []
        self._there = asyncio.Event()

    @property
    def holds(self) -> bool:
        """Whether something is held."""
        return self.hold.target is not None or bool(self.hold.held.any())

    def show(self, frame: bytes) -> None:
        """Take a frame in place of one that was not sent yet."""
        self._frame = frame
        self._there.set()

    def tell(self, text: str) -> None:
        """Take a text; of more than twenty that were not sent, the oldest are dropped."""
        self._texts = [*self._texts[-19:], text]
        self._there.set()

    async def next(self) -> list[str | bytes]:
        """Wait for what is to be sent."""
        await self._there.wait()
        self._there.clear()
        waiting: list[str | bytes] = [*self._texts]
        if self._frame is not None:
            waiting.append(self._frame)
        self._texts = []
        self._frame = None
        return waiting


class Driver:
    """The session's one thread, and its viewers.

    out: folder of recordings. fastest: frames a second at most.

    >>> from pixelpush.eval.driving.session import Source
    >>> from pixelpush.eval.environments.beginnings import Beginning
    >>> from pixelpush.vpn import build_model
    >>> rows = np.zeros((2, 5), np.float32)
    >>> given = Beginning(np.zeros((2, 3, 8, 8), np.uint8), rows, rows[1:], "black")
    >>> source = Source(data="", given=given, simulated=False)
    >>> driver = Driver(Session(build_model("ot", frame_size=8, coarse_scales=0), source), Path())
    >>> viewer = asyncio.run(driver.join())
    >>> driver.viewers == {viewer}
    True
    >>> driver.close()
    """

    def __init__(self, session: Session, out: Path, fastest: float = FASTEST):
        self.session = session
        self.viewers: set[Viewer] = set()
        self.steps = 0
        self._out = out
        self._pause = 1.0 / fastest
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drive")
        self._held = asyncio.Event()
        self._busy = asyncio.Lock()
        self._newest: bytes | None = None

    async def run(self) -> None:
        """Step for ever, whenever a viewer holds something."""
        while True:
            await self._held.wait()
            viewer = next((each for each in self.viewers if each.holds), None)
            if viewer is None:
                self._held.clear()
                continue
            started = time.monotonic()
            try:
                await self._step(viewer)
            except InputError as error:
                viewer.hold = Hold(np.zeros_like(viewer.hold.held))
                viewer.tell(json.dumps({"type": "error", "text": str(error)}))
            await asyncio.sleep(max(0.0, self._pause - (time.monotonic() - started)))

    def close(self) -> None:
        """End the thread after the call that it is in."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def join(self) -> Viewer:
        """A new viewer, who is told about the session and shown the newest frame."""
        viewer = Viewer(len(self.session.steering.step))
        viewer.tell(json.dumps(await self._call(self._welcome)))
        if self._newest is None:
            self._newest = pack_view(await self._call(self.session.view))
        viewer.show(self._newest)
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Remove a viewer; what it held is released."""
        self.viewers.discard(viewer)

    async def hear(self, viewer: Viewer, text: str) -> None:
        """Carry out a page's message. One that is refused is answered, and has no effect."""
        try:
            message = read_message(text, len(viewer.hold.held))
            if isinstance(message, Hold):
                viewer.hold = message
                self._held.set()
                return
            await self._obey(message)
        except InputError as error:
            viewer.tell(json.dumps({"type": "error", "text": str(error)}))

    async def _obey(self, message: Message) -> None:
        session = self.session
        if isinstance(message, Reset):
            view = await self._call(lambda: session.reset(message.split, message.episode))
            self._show(view)
            welcome = json.dumps(await self._call(self._welcome))
            for viewer in self.viewers:
                viewer.tell(welcome)
        elif isinstance(message, Change):
            told = {name: x for name, x in vars(message).items() if x is not None}
            sampling = dataclasses.replace(session.sampling, **told)
            await self._call(lambda: session.set(sampling))
        elif isinstance(message, Plain):
            await self._plain(message.name)

    async def _plain(self, name: str) -> None:
        session = self.session
        if name == "stop":
            files = await self._call(self._save)
            text = json.dumps({"type": "saved", "files": [str(file) for file in files]})
            for viewer in self.viewers:
                viewer.tell(text)
        calls: dict[str, Callable[[], View]] = {"back": session.back, "record": session.record}
        self._show(await self._call(calls.get(name, session.view)))

    async def _step(self, viewer: Viewer) -> None:
        hold = viewer.hold
        view = await self._call(lambda: self.session.step(hold.held, hold.target))
        self.steps += 1
        self._show(view)
        # A target that is reached counts as released, unless the page has sent another one
        # meanwhile.
        arrived = hold.target is not None and np.allclose(view.command, hold.target, atol=1e-4)
        if arrived and viewer.hold is hold:
            viewer.hold = Hold(np.zeros_like(hold.held))

    def _show(self, view: View) -> None:
        self._newest = pack_view(view)
        for viewer in self.viewers:
            viewer.show(self._newest)

    def _save(self) -> list[Path]:
        session = self.session
        recording = session.stop()
        folder = new_folder(self._out)
        return save_drive(recording, folder, session.name, session.model.config.action_kind)

    def _welcome(self) -> dict[str, object]:
        session = self.session
        steering = session.steering
        return {
            "type": "welcome",
            "name": session.name,
            "lowest": steering.lowest.tolist(),
            "highest": steering.highest.tolist(),
            "poses": steering.poses,
            "axes": session.axes(),
            "episode": session.source.episode,
            "split": session.source.split,
            "simulated": session.source.simulated,
            "composes": session.model.config.composes,
            **dataclasses.asdict(session.sampling),
        }

    async def _call(self, work: Callable[[], Result]) -> Result:
        """Run on the session's thread, one call after the other."""
        async with self._busy:
            loop = asyncio.get_running_loop()
            call: Awaitable[Result] = loop.run_in_executor(self._thread, work)
            return await call
