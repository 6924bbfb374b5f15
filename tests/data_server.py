"""Hosts that misbehave, for tests/helpers/test_data_download.py: a local HTTP server whose paths do what a test asks for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Behaviour = Callable[[BaseHTTPRequestHandler], None]


class Host:
    """``with Host({"/mnist.npz": serve(content)}) as host``: ``host.url`` is its address, ``host.asked`` what came."""

    def __init__(self, paths: dict[str, Behaviour]):
        self.asked: list[str] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                try:
                    paths.get(self.path, status(404))(self)
                except OSError:  # the reader went away, as it should
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _head(handler: BaseHTTPRequestHandler, length: int, kind: str = "application/octet-stream") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()


def serve(content: bytes, kind: str = "application/octet-stream") -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        _head(handler, len(content), kind)
        handler.wfile.write(content)

    return behave


def web_page(kind: str = "text/html; charset=utf-8") -> Behaviour:
    return serve(b"<!DOCTYPE html><html><title>Please log in</title></html>" * 50, kind)


def status(code: int) -> Behaviour:
    return lambda handler: handler.send_error(code)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first behaviour for the first request, and so on; the last one for all that follow."""
    left = list(behaviours)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def break_off(content: bytes, after: int) -> Behaviour:
    """Promise the whole content and close the connection after some of it."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        _head(handler, len(content))
        handler.wfile.write(content[:after])
        handler.close_connection = True

    return behave


def cut_short(content: bytes, after: int) -> Behaviour:
    """Send a part and call it the whole."""
    return serve(content[:after])


def slowly(content: bytes, rate: float, burst: int = 0) -> Behaviour:
    """The first ``burst`` bytes at once, then ``rate`` bytes per second, in steps of 1/50 s or of a byte."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        _head(handler, len(content))
        handler.wfile.write(content[:burst])
        step = max(1, int(rate / 50))
        for start in range(burst, len(content), step):
            handler.wfile.write(content[start : start + step])
            time.sleep(step / rate)

    return behave


def trickle_header(every: float) -> Behaviour:
    """A header that never ends, one byte at a time: no timeout between two bytes notices."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
        for _ in range(10_000):
            handler.wfile.write(b"z")
            time.sleep(every)

    return behave


def silent(seconds: float = 60) -> Behaviour:
    """Take the request and say nothing."""
    return lambda _: time.sleep(seconds)


def endless(_length: int = 1 << 40) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        _head(handler, _length)
        while True:
            handler.wfile.write(bytes(1 << 16))

    return behave


def refusing_address() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


class Deaf:
    """A host that does not even take the connection: its queue is full, so packets to it are dropped."""

    def __enter__(self) -> str:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        address = self._listener.getsockname()
        self._queue = [socket.socket() for _ in range(4)]
        for waiting in self._queue:
            waiting.setblocking(False)
            waiting.connect_ex(address)
        return f"http://127.0.0.1:{address[1]}/"

    def __exit__(self, *_: object) -> None:
        for waiting in (*self._queue, self._listener):
            waiting.close()
