"""Driving a model by hand: a local page where the predicted robot follows keys and mouse.

steering.py turns what is held into actions; session.py is one drive, without any web: model,
history, the real physics beside it; recording.py saves it. messages.py checks what a page sends,
driver.py runs the session for its viewers, server.py serves page and websocket, page.html is the
page. starlette, uvicorn and websockets come with the extra 'drive'. docs/driving.md has more."""
