"""The page in a real browser: keys and mouse move the hand, frames change, a recording is kept.

It needs Chromium (Debian's package 'chromium') and is skipped, saying so, where there is none.
PIXELPUSH_SCREENSHOT=file.png keeps what the page looks like at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Page, find_chromium, open_page

pytest.importorskip("uvicorn", reason="the extra 'drive' is not installed")

from pixelpush.eval.driving.driver import Driver
from pixelpush.eval.driving.server import make_server
from pixelpush.eval.driving.session import Session, Source

PROGRAM = find_chromium()
TOKEN = "a-token"
HEADER = "header && header"
PICTURE = "document.getElementById('predicted').toDataURL()"

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium here: apt-get install chromium"
)


@pytest.fixture(scope="module")
def page(bin_model, tmp_path_factory) -> Iterator[Page]:
    out = tmp_path_factory.mktemp("drive")
    driver = Driver(Session(bin_model, Source("sim", "val", 0)), out)
    server = make_server(driver, TOKEN, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}/?token={TOKEN}"
    try:
        assert PROGRAM is not None
        with open_page(PROGRAM, address, tmp_path_factory.mktemp("profile"), (1180, 900)) as page:
            page.call("Page.bringToFront")
            page.until(f"typeof header !== 'undefined' && {HEADER}.number === 1")
            yield page
    finally:
        server.should_exit = True
        thread.join()


def test_keys_move_the_hand_and_frames_change(page):
    before = page.value(PICTURE), page.value(f"{HEADER}.command")
    page.key("ArrowRight", True)
    page.until(f"{HEADER}.number >= 4")
    page.key("ArrowRight", False)
    assert page.value(PICTURE) != before[0]
    command = page.value(f"{HEADER}.command")
    right, _ = in_picture(page, before[1], command)
    assert right > 0.02
    number = stands_still(page)
    assert page.value("document.getElementById('number').textContent") == f"frame {number}"
    assert "levels apart" in page.value("document.getElementById('distance').textContent")


def test_a_step_back_shows_the_frame_before(page):
    number = stands_still(page)
    page.key("Backspace", True)
    page.key("Backspace", False)
    page.until(f"{HEADER}.number === {number - 1}")


def test_a_drag_moves_the_hand_the_way_of_the_mouse(page):
    number = stands_still(page)
    before = page.value(f"{HEADER}.command")
    box = page.value(
        "(({x, y}) => [x, y])(document.getElementById('predicted').getBoundingClientRect())"
    )
    x, y = box[0] + 100, box[1] + 100
    page.mouse("mousePressed", x, y)
    page.mouse("mouseMoved", x, y - 70)
    page.until(f"{HEADER}.number >= {number + 2}")
    page.mouse("mouseReleased", x, y - 70)
    stands_still(page)
    _, down = in_picture(page, before, page.value(f"{HEADER}.command"))
    assert down < -0.02


def test_a_slider_sets_its_entry(page):
    stands_still(page)
    script = "const s = document.getElementById('action-4'); s.value = 0.3;"
    page.value(f"{{ {script} s.dispatchEvent(new Event('input')); }}")
    page.until(f"Math.abs({HEADER}.command[4] - 0.3) < 0.001")


def test_a_recording_is_saved_and_said(page):
    page.value("document.getElementById('record').click()")
    number = page.until(f"{HEADER}.recording && {HEADER}.number")
    page.key("ArrowLeft", True)
    page.until(f"{HEADER}.number >= {number + 2}")
    page.key("ArrowLeft", False)
    stands_still(page)
    picture = os.environ.get("PIXELPUSH_SCREENSHOT")
    if picture:
        page.screenshot(Path(picture))
    page.value("document.getElementById('record').click()")
    said = page.until("document.getElementById('said').textContent")
    assert "drive.mp4" in said
    assert Path(said.split(": ")[1].split(", ")[0]).exists()


def stands_still(page: Page) -> int:
    """Wait until no frame comes any more; the last one's number."""
    last = -1
    while last != (last := page.value(f"{HEADER}.number")):
        # A frame may still be under way, and on a busy machine take long.
        time.sleep(max(0.4, 5 * page.value(f"{HEADER}.step_seconds")))
    return last


def in_picture(page: Page, before: list[float], after: list[float]) -> tuple[float, float]:
    """How far the hand was sent to the right and down the picture, in metres."""
    axes = page.value("about.axes")
    moved = [after[0] - before[0], after[1] - before[1]]
    return tuple(sum(moved[k] * axes[k][side] for k in range(2)) for side in range(2))
