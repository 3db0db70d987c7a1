"""A headless Chromium of the system, spoken to over its DevTools websocket: no driver package."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The browser's program, or None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Page:
    """One open page."""

    def __init__(self, connection: Any):
        self._connection = connection
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol; its result."""
        self._number += 1
        self._connection.send(
            json.dumps({"id": self._number, "method": method, "params": parameters})
        )
        while True:
            found = json.loads(self._connection.recv(timeout=60))
            if found.get("id") == self._number:
                assert "error" not in found, found["error"]
                return found["result"]

    def value(self, script: str) -> Any:
        """What a script gives."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 300) -> Any:
        """Wait until a script gives something true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.value(script)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}")

    def key(self, name: str, down: bool) -> None:
        """Press or let go a key."""
        kind = "keyDown" if down else "keyUp"
        self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """'mousePressed', 'mouseMoved' or 'mouseReleased' at a place of the page."""
        pressed = 0 if kind == "mouseReleased" else 1
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=pressed,
            clickCount=1,
        )

    def screenshot(self, path: Path) -> None:
        """What is to be seen, as PNG."""
        shot = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def open_page(program: str, address: str, profile: Path, size: tuple[int, int]) -> Iterator[Page]:
    """A page in a browser of its own, which is ended afterwards."""
    from websockets.sync.client import connect

    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    options += ["--no-first-run", "--disable-background-networking", "--remote-debugging-port=0"]
    options += [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
    with subprocess.Popen(
        [program, *options, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as browser:
        try:
            port = _port(profile / "DevToolsActivePort")
            with connect(_target(port, address), max_size=None) as connection:
                yield Page(connection)
        finally:
            browser.terminate()


def _port(file: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if file.exists() and (lines := file.read_text().split()):
            return lines[0]
        time.sleep(0.1)
    raise AssertionError("Chromium did not start")


def _target(port: str, address: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
                pages = json.load(answer)
            for page in pages:
                if page["type"] == "page" and page["url"].startswith(address.split("?")[0]):
                    return page["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise AssertionError("Chromium opened no page")
