"""Downloads that cannot hold a reader up: pooch in a thread of its own, and a clock that watches it.

pooch fetches, tries again and compares digests. What it lacks is an end: a host that sends a byte a second, or a name
server that does not answer, can hold a download up for minutes, whatever its timeouts. So a thread downloads, and the
caller's thread looks every tenth of a second whether enough has come.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from pathlib import Path

from helpers.progress import progress

RETRIES = 2  # pooch's, for a download that breaks off, a wrong digest, or a server in trouble
MIN_SPEED = 64_000  # bytes per second: slower than this is as good as nothing
MAX_BYTES = 50_000_000  # a host that sends more than this from one address does not send MNIST (11.5 MB)


class DownloadError(Exception):
    """A host did not give what it should, in a few words for the reader."""


def fetch(base: str, files: dict[str, str | None], folder: Path, patience: float) -> None:
    """Download ``base + name`` for each name in ``files`` into ``folder``.

    files: names, each with the SHA-256 that it must have, or None. folder: an empty one, which the caller removes at
    last. patience: seconds; less than MIN_SPEED on average over any stretch of that length ends the download.
    Raises DownloadError when the host is to blame and OSError when the disk is.

    An abandoned thread ends at the next kilobyte it gets, if any, and leaves nothing in the folder.
    """
    import pooch  # imported here because most runs need no download
    import requests

    received, outcome, abandoned, done = 0, [], threading.Event(), threading.Event()

    def stream(url: str, target: str, _pooch: object) -> None:
        """Write one file. pooch calls this again after ValueError and requests' errors, not after DownloadError."""
        nonlocal received
        if abandoned.is_set():
            raise DownloadError("abandoned")
        try:
            response = requests.get(url, stream=True, timeout=patience, headers={"Accept-Encoding": "identity"})
        except requests.RequestException as error:
            raise DownloadError(f"no answer ({type(error).__name__})") from None
        with response, open(target, "wb") as file:
            if 400 <= response.status_code < 500:
                raise DownloadError(f"status {response.status_code}")
            response.raise_for_status()  # the server's own trouble, which may pass
            if "html" in response.headers.get("Content-Type", ""):
                raise DownloadError("a web page instead of data")
            for chunk in response.iter_content(1 << 10):
                received += len(chunk)
                if abandoned.is_set() or received > MAX_BYTES:
                    raise DownloadError("more data than MNIST has")
                file.write(chunk)

    def work() -> None:
        try:
            for name in files:
                store.fetch(name, downloader=stream)
        except Exception as error:  # the caller's thread raises it
            outcome.append(error)
        if abandoned.is_set():
            shutil.rmtree(folder, ignore_errors=True)
        done.set()

    digests = {name: digest and f"sha256:{digest}" for name, digest in files.items()}
    store = pooch.create(path=folder, base_url=base, registry=digests, retry_if_failed=RETRIES)
    pooch.get_logger().setLevel("WARNING")
    threading.Thread(target=work, name="digits-download", daemon=True).start()
    history = deque([(time.monotonic(), 0)])  # (when, bytes that had come by then), as far back as patience goes
    try:
        with _bar() as bar:
            while not done.wait(0.1):
                bar.update(received - bar.n)
                history.append((time.monotonic(), received))
                (since, before), (now, after) = history[0], history[-1]
                if now - since >= patience:
                    if after - before < MIN_SPEED * patience:
                        raise DownloadError("silent or far too slow")
                    history.popleft()
    finally:
        abandoned.set()
    if outcome:
        raise _explained(outcome[0]) from None


def _bar():
    """A progress bar in bytes, once it takes more than a second."""
    return progress(None, desc="MNIST", total=11_500_000, unit="B", unit_scale=True, delay=1)


def _explained(error: Exception) -> Exception:
    import requests

    match error:
        case requests.HTTPError():
            return DownloadError(f"status {error.response.status_code}")
        case requests.RequestException():  # which is an OSError too, so it has to come first
            return DownloadError("the download broke off")
        case DownloadError() | OSError():
            return error
        case ValueError():  # pooch's, for a wrong digest
            return DownloadError("another file than the known one")
    return DownloadError(f"{type(error).__name__}: {error}")
