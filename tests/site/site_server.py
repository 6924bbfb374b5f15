"""A small server for the tests of the site: what GitHub Pages would send, gzip and 404.html included, on this machine alone."""

import gzip
import mimetypes
import threading
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Named here, because what Python knows of types differs from one system to the next.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".ipynb": "application/x-ipynb+json",
    ".xml": "application/xml",
    ".txt": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".whl": "application/octet-stream",
}
COMPRESSED = {".html", ".js", ".css", ".json", ".svg", ".ico", ".ipynb", ".xml", ".txt"}


@cache
def body_of(path, changed):
    """Return the bytes of the file ``path`` (compressed where that pays) and its content encoding; ``changed`` is its time."""
    data = path.read_bytes()
    return (gzip.compress(data, 6, mtime=0), "gzip") if path.suffix in COMPRESSED else (data, None)


class Handler(BaseHTTPRequestHandler):
    """Sends the files below ``server.folder``; whatever is not there gets 404.html with the status 404."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        """Answer GET and HEAD."""
        folder = self.server.folder
        path = (folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
        path = path / "index.html" if path.is_dir() else path
        found = path.is_file() and path.is_relative_to(folder)
        path = path if found else folder / "404.html"
        data, encoding = body_of(path, path.stat().st_mtime_ns) if path.is_file() else (b"not found", None)
        self.send_response(200 if found else 404)
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "max-age=600")  # as GitHub Pages says
        if encoding:
            self.send_header("Content-Encoding", encoding)
            self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        if self.command == "GET":
            with suppress(ConnectionError):  # a browser that has left the page needs no answer
                self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, *_):
        """Say nothing: the tests look at the browser's side."""


class Site:
    """``with Site(folder) as site:`` serves the folder at ``site.address`` (http://127.0.0.1:PORT) until the block ends."""

    def __init__(self, folder):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.folder = Path(folder).resolve()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
