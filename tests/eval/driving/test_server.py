"""Page and websocket by the test client: who gets in, what is done, and who holds nobody up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'drive' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'drive' is not installed")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pixelpush.eval.driving import server
from pixelpush.eval.driving.driver import Driver
from pixelpush.eval.driving.messages import unpack_view
from pixelpush.eval.driving.server import make_app

TOKEN = "a-token"
RIGHT = json.dumps({"type": "hold", "held": [1, 0, 0, 0, 0]})
NOTHING = json.dumps({"type": "hold", "held": [0, 0, 0, 0, 0]})


@pytest.fixture
def driver(new_session, tmp_path) -> Driver:
    return Driver(new_session(), tmp_path, fastest=1000)


@pytest.fixture
def client(driver):
    with TestClient(make_app(driver, TOKEN)) as client:
        yield client


def connect(client: TestClient, token: str = TOKEN, **headers: str):
    return client.websocket_connect(f"/drive?token={token}", headers=headers)


def frame(socket) -> dict:
    """The header of the next frame; texts before it are passed over."""
    while True:
        message = socket.receive()
        if message.get("bytes"):
            return unpack_view(message["bytes"])[0]


def text(socket, kind: str) -> dict:
    """The next text of a kind; frames before it are passed over."""
    while True:
        message = socket.receive()
        if message.get("text"):
            told = json.loads(message["text"])
            if told["type"] == kind:
                return told


def until(true: Callable[[], bool]) -> bool:
    """Wait for something that takes a moment; False if it never comes."""
    for _ in range(1000):
        if true():
            return True
        time.sleep(0.01)
    return False


def stands_still(driver: Driver) -> bool:
    """Whether nothing is done any more but the step that was under way."""
    steps = driver.steps
    time.sleep(0.3)
    return driver.steps <= steps + 1


def test_the_page_needs_the_token_and_nothing_from_elsewhere(client):
    assert client.get("/").status_code == 403
    assert client.get("/?token=another").status_code == 403
    page = client.get(f"/?token={TOKEN}")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for outside in ("http://", "https://", "src=", "@import", "url("):
        assert outside not in page.text
    assert TOKEN not in page.text
    assert client.get(f"/?token={TOKEN}", headers={"host": "evil.example"}).status_code == 400


def test_the_websocket_needs_the_token_and_the_own_page(client):
    for refused in (
        {"token": "another"},
        {"token": ""},
        {"origin": "http://evil.example"},
    ):
        with pytest.raises(WebSocketDisconnect), connect(client, **refused) as socket:
            socket.receive()
    with connect(client, origin="http://testserver") as socket:
        assert frame(socket)["number"] == 1


def test_frames_come_while_something_is_held_and_only_then(client, driver):
    with connect(client) as socket:
        assert text(socket, "welcome")["poses"] is True
        socket.send_text(RIGHT)
        numbers = [frame(socket)["number"] for _ in range(5)]
        assert numbers == sorted(numbers)
        assert numbers[-1] > 3
        socket.send_text(NOTHING)
        assert until(lambda: not any(viewer.holds for viewer in driver.viewers))
        assert stands_still(driver)


def test_commands_are_obeyed_and_recordings_saved(client, tmp_path):
    with connect(client) as socket:
        text(socket, "welcome")
        socket.send_text('{"type": "record"}')
        target = json.dumps({"type": "hold", "target": [0.3, 0.1, 0.1, 0.1, 0.1]})
        socket.send_text(target)
        while abs(frame(socket)["command"][0] - 0.3) > 1e-4:
            pass
        socket.send_text('{"type": "stop"}')
        saved = text(socket, "saved")["files"]
        assert [path.split("/")[-1] for path in saved] == ["drive.mp4", "actions.csv", "predicted"]
        assert (tmp_path / "drive-001" / "predicted" / "store.json").exists()
        socket.send_text('{"type": "back"}')
        before = frame(socket)["number"]
        socket.send_text('{"type": "set", "temperature": 0.25, "seed": 9}')
        socket.send_text('{"type": "reset"}')
        welcome = text(socket, "welcome")
        assert (welcome["temperature"], welcome["seed"]) == (0.25, 9)
        assert before >= 1


def test_what_is_malformed_is_answered_and_changes_nothing(client, driver):
    with connect(client) as socket:
        for bad in ("no", "[]", '{"type": "hold", "held": [1]}', '{"type": "stop"}'):
            socket.send_text(bad)
            assert text(socket, "error")["text"]
        socket.send_bytes(b"\x00")
        assert "text is expected" in text(socket, "error")["text"]
        socket.send_text('{"type": "set", "prediction": "best"}')
        assert "unknown sampler" in text(socket, "error")["text"]
        assert driver.steps == 0
        socket.send_text(RIGHT)
        while frame(socket)["number"] < 3:
            pass


def test_several_look_on_and_a_slow_one_holds_nobody_up(client, driver):
    """The slow one reads nothing while the others' frames go on, then gets the newest."""
    with connect(client) as slow, connect(client) as quick:
        quick.send_text(RIGHT)
        assert until(lambda: driver.steps > 30)
        quick.send_text(NOTHING)
        assert until(lambda: not any(viewer.holds for viewer in driver.viewers))
        assert frame(slow)["number"] >= 1
        waiting = [len(viewer._texts) for viewer in driver.viewers]
        assert max(waiting) <= 20


def test_who_has_gone_holds_nothing_any_more(client, driver):
    with connect(client) as socket:
        socket.send_text(RIGHT)
        assert until(lambda: driver.steps > 3)
    assert until(lambda: not driver.viewers)
    assert stands_still(driver)


class Stuck:
    """A page's connection that neither takes nor sends anything."""

    def __init__(self):
        self.closed = False

    async def receive(self) -> None:
        await asyncio.Event().wait()

    async def send_text(self, message: str) -> None:
        await asyncio.Event().wait()

    async def send_bytes(self, message: bytes) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int) -> None:
        self.closed = True


def test_a_page_that_takes_nothing_is_let_go(driver, monkeypatch):
    monkeypatch.setattr(server, "SEND_SECONDS", 0.05)

    async def serve() -> bool:
        viewer = await driver.join()
        stuck: Any = Stuck()
        sending = asyncio.create_task(server._send(stuck, viewer))
        await asyncio.wait_for(server._listen(stuck, driver, viewer, sending), 30)
        return stuck.closed

    assert asyncio.run(serve())
    driver.close()
