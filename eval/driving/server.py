"""The page and its websocket, on this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import importlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from pixelpush.errors import InputError
from pixelpush.eval.driving.driver import Driver, Viewer
from pixelpush.eval.driving.messages import MOST_BYTES

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    # uvicorn asks for it only when the first page connects.
    importlib.import_module("websockets")
except ImportError as error:
    raise InputError(
        f"driving needs {error.name}, which is not installed: pip install 'pixelpush[drive]'."
    ) from None

HOST = "127.0.0.1"
PAGE = Path(__file__).parent / "page.html"
SEND_SECONDS = 10.0  # a viewer that takes no message for so long has gone
# The page is one file: nothing is loaded from elsewhere, and nobody may frame it.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """A secret that stands in the address; requests without it are refused.

    >>> len(new_token()) > 20
    True
    """
    return secrets.token_urlsafe(24)


def make_app(driver: Driver, token: str) -> Starlette:
    """The application. Requests without the token, for another host, or from another page's
    websocket, are refused.

    >>> from unittest.mock import Mock
    >>> [route.path for route in make_app(Mock(Driver), new_token()).routes]
    ['/', '/drive']
    """

    def allowed(given: str | None) -> bool:
        # In constant time: how long the comparison takes says nothing about the token.
        return hmac.compare_digest((given or "").encode(), token.encode())

    async def page(request: Request) -> Response:
        if not allowed(request.query_params.get("token")):
            text = "Open the address that 'pixelpush drive' printed, with its token."
            return PlainTextResponse(text, status_code=403)
        return HTMLResponse(PAGE.read_text(), headers=_HEADERS)

    async def socket(websocket: WebSocket) -> None:
        origin = websocket.headers.get("origin")
        same = origin is None or urlsplit(origin).netloc == websocket.headers.get("host")
        if not same or not allowed(websocket.query_params.get("token")):
            await websocket.close(code=1008)
            return
        await websocket.accept()
        viewer = await driver.join()
        sending = asyncio.create_task(_send(websocket, viewer))
        try:
            await _listen(websocket, driver, viewer, sending)
        finally:
            driver.leave(viewer)
            sending.cancel()

    @contextlib.asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        steps = asyncio.create_task(driver.run())
        try:
            yield
        finally:
            steps.cancel()
            driver.close()

    hosts = [HOST, "localhost", "testserver"]
    return Starlette(
        routes=[Route("/", page), WebSocketRoute("/drive", socket)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        lifespan=running,
    )


async def _listen(
    websocket: WebSocket, driver: Driver, viewer: Viewer, sending: asyncio.Task[None]
) -> None:
    """Read a page's messages until it disconnects or accepts no frames any more."""
    while True:
        hearing = asyncio.ensure_future(websocket.receive())
        await asyncio.wait({hearing, sending}, return_when=asyncio.FIRST_COMPLETED)
        if not hearing.done():
            hearing.cancel()
            with contextlib.suppress(Exception):
                await websocket.close(code=1011)
            return
        message = hearing.result()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            viewer.tell('{"type": "error", "text": "a message of bytes; text is expected."}')
        else:
            await driver.hear(viewer, text)


async def _send(websocket: WebSocket, viewer: Viewer) -> None:
    """Send a page its texts and the newest frame; end when it accepts nothing."""
    while True:
        for message in await viewer.next():
            sending = (
                websocket.send_text(message)
                if isinstance(message, str)
                else websocket.send_bytes(message)
            )
            try:
                await asyncio.wait_for(sending, SEND_SECONDS)
            except (TimeoutError, asyncio.TimeoutError, WebSocketDisconnect, RuntimeError):
                return


def make_server(driver: Driver, token: str, port: int) -> uvicorn.Server:
    """A server of the application on 127.0.0.1; port 0 takes any free one.

    >>> from unittest.mock import Mock
    >>> make_server(Mock(Driver), new_token(), port=0).config.host
    '127.0.0.1'
    """
    return uvicorn.Server(
        uvicorn.Config(
            make_app(driver, token),
            host=HOST,
            port=port,
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=4 * MOST_BYTES,
            ws_ping_interval=10,
            ws_ping_timeout=10,
            timeout_graceful_shutdown=2,
        )
    )
