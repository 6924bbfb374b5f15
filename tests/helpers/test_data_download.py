"""helpers.data and helpers.download: downloads over a local server that misbehaves as hosts and disks do."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import data_world
import numpy as np
import pytest
from data_server import (
    Deaf,
    Host,
    break_off,
    cut_short,
    endless,
    in_turn,
    refusing_address,
    serve,
    silent,
    slowly,
    status,
    trickle_header,
    web_page,
)
from data_world import EXPECTED, assert_is_mnist, idx, mirror, npz, one_pixel, sha256, shuffled

from helpers import data, download, files

world, open_world = data_world.world, data_world.open_world  # the fixtures
SOON = 10  # seconds: far more than a patience of one second needs, far less than the hosts here would go on


def test_downloads_the_known_file_and_keeps_it(world, capfd):
    content = npz()
    with Host({"/keras/mnist.npz": serve(content)}) as host:
        world.sources((f"{host.url}keras/mnist.npz", sha256(content)))
        digits = data.load_mnist(quiet=True)
        assert_is_mnist(digits)
        assert "127.0.0.1" in digits.source and "data/" in digits.source
        data._loaded.clear()
        assert_is_mnist(data.load_mnist(quiet=True))  # from data/ now
        assert len(host.asked) == 1
    assert world.left_in_data() == ["mnist.npz"]
    assert capfd.readouterr() == ("", "")  # neither a bar nor pooch's messages in a log
    if os.name != "nt":  # others on the machine may read it, as they may what an editor saves
        (world.data / "plain").touch()
        assert (world.data / "mnist.npz").stat().st_mode == (world.data / "plain").stat().st_mode


def test_makes_the_data_folder(world):
    world.data.rmdir()
    with Host({"/mnist.npz": serve(npz())}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        assert_is_mnist(data.load_mnist())


def test_downloads_from_a_mirror_with_idx_files(world):
    with Host(mirror()) as host:
        world.sources((f"{host.url}mnist.npz", None), (f"{host.url}mnist/", None))  # the first has nothing
        assert_is_mnist(data.load_mnist())
        assert len(host.asked) == 5
    assert world.left_in_data() == ["mnist.npz"]  # in one file, so that nobody ever sees half a set


def test_digits_mirrors_replaces_the_public_hosts(world):
    with Host(mirror()) as host:
        world.monkeypatch.setenv("DIGITS_MIRRORS", f"{refusing_address()}mnist.npz {host.url}mnist/")
        assert_is_mnist(data.load_mnist())


@pytest.mark.parametrize("trouble", [break_off(npz(), 20_000), cut_short(npz(), 20_000), status(503)])
def test_tries_again(world, trouble):
    with Host({"/mnist.npz": in_turn(trouble, serve(npz()))}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(npz())))
        assert_is_mnist(data.load_mnist())
        assert len(host.asked) == 2


BAD_ANSWERS = {
    "breaks off": (break_off(npz(), 20_000), "the download broke off"),
    "cut short": (cut_short(npz(), 20_000), "another file than the known one"),
    "empty": (serve(b""), "another file than the known one"),
    "a web page": (web_page(), "a web page"),
    "a web page as data": (web_page("application/octet-stream"), "another file than the known one"),
    "not found": (status(404), "status 404"),
    "in trouble": (status(503), "status 503"),
    "endless": (endless(), "more data than MNIST has"),
    "silent": (silent(), "no answer|silent or far too slow"),
    "trickling": (slowly(npz(), 5), "silent or far too slow"),
    "trickling header": (trickle_header(0.1), "silent or far too slow"),
    "stops midway": (slowly(npz(), 1, burst=30_000), "silent or far too slow|the download broke off"),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_a_bad_answer_leads_to_the_next_host(world, answer):
    behaviour, _ = BAD_ANSWERS[answer]
    with Host({"/mnist.npz": behaviour} | mirror()) as host:
        world.sources((f"{host.url}mnist.npz", sha256(npz())), (f"{host.url}mnist/", None), patience=2)
        assert_is_mnist(data.load_mnist())
    assert world.left_in_data() == ["mnist.npz"]
    assert_is_mnist(data.load_mnist())


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_without_a_next_host_it_is_the_sample_with_the_reason_or_an_error(world, answer, capsys):
    behaviour, words = BAD_ANSWERS[answer]
    with Host({"/mnist.npz": behaviour}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(npz())), patience=1)
        start = time.monotonic()
        digits = data.load_mnist()
        assert time.monotonic() - start < SOON
    assert digits.edition == "sample"
    assert digits.reason in capsys.readouterr().out
    assert re.search(f"127.0.0.1: ({words})", digits.reason), digits.reason
    assert world.left_in_data() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(one_pixel(), "altered: its x_test"), (shuffled(), "altered"), (npz()[:-30_000], "cut short"), (b"PK", "damaged")],
)
def test_a_download_is_checked_even_without_a_known_digest(world, content, words):
    world.edition("full")
    with Host({"/mnist.npz": serve(content)}) as host:
        world.sources((f"{host.url}mnist.npz", None))
        with pytest.raises(data.DataError, match=f"127.0.0.1: sent a file that .*{words}"):
            data.load_mnist()
    assert world.left_in_data() == []


@pytest.mark.parametrize(
    "instead",
    [
        {"x_test": web_page()},
        {"x_test": web_page("application/gzip")},
        {"y_test": serve(gzip.compress(idx("y_train")))},
        {"x_train": serve(gzip.compress(idx("x_train"))[:-9])},
        {"y_train": status(404)},
        {"y_test": break_off(gzip.compress(idx("y_test")), 20)},
    ],
)
def test_one_bad_file_spoils_a_mirror(world, instead):
    with Host(mirror(**instead)) as host:
        world.sources((f"{host.url}mnist/", None))
        assert data.load_mnist().edition == "sample"
    assert world.left_in_data() == []


def test_full_without_mnist_says_what_was_tried(world):
    world.edition("full")
    with Host({"/mnist.npz": web_page()}) as host:
        refused = refusing_address().replace("127.0.0.1", "localhost")
        world.sources((f"{host.url}mnist.npz", None), (refused, None))
        with pytest.raises(data.DataError) as caught:
            data.load_mnist()
    message = str(caught.value)
    for words in (
        str(world.data / "mnist.npz"),
        str(world.keras / "mnist.npz"),
        "127.0.0.1: a web page",
        "localhost: no answer",
    ):
        assert words in message
    assert "DIGITS_EDITION=sample" in message and "DIGITS_DATA" in message


def test_a_slow_download_that_gets_on_is_left_to_finish(world):
    world.monkeypatch.setattr(download, "MIN_SPEED", 10_000)
    content = npz()
    with Host({"/mnist.npz": slowly(content, 25_000)}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(content)), patience=1)
        start = time.monotonic()
        assert_is_mnist(data.load_mnist())
        assert time.monotonic() - start > 2 * 1  # far longer than the patience with one that does not get on


def test_a_download_that_becomes_too_slow_is_given_up(world):
    world.monkeypatch.setattr(download, "MIN_SPEED", 10_000)
    before = set(threading.enumerate())
    with Host({"/mnist.npz": slowly(npz(), 1_000, burst=30_000)}) as host:
        world.sources((f"{host.url}mnist.npz", None), patience=1)
        start = time.monotonic()
        assert data.load_mnist().edition == "sample"
        assert time.monotonic() - start < SOON
        assert world.left_in_data() == []
        while any(thread.name == "digits-download" for thread in set(threading.enumerate()) - before):
            # it ends with the next kilobyte
            assert time.monotonic() - start < 2 * SOON
            time.sleep(0.05)
    assert world.left_in_data() == []


def test_a_name_server_that_does_not_answer(world):
    def asleep(*_, **__):
        time.sleep(30)
        raise OSError("no name server")

    world.monkeypatch.setattr(socket, "getaddrinfo", asleep)
    world.sources(("http://mnist.invalid/mnist.npz", None), patience=1)
    start = time.monotonic()
    assert "silent or far too slow" in data.load_mnist().reason
    assert time.monotonic() - start < SOON


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse when the queue is full")
def test_a_host_that_takes_no_connection(world):
    with Deaf() as url:
        world.sources((f"{url}mnist.npz", None), patience=1)
        start = time.monotonic()
        assert data.load_mnist().edition == "sample"
        assert time.monotonic() - start < SOON


def test_the_whole_decision_takes_under_twenty_seconds(world):
    """As a reader's process does it, with the real patience and as many hosts as the book has, none of any use.

    On a busy machine reading the sample takes longer by itself, so what the waiting adds is held to a bound of its own.
    """
    start = time.monotonic()
    assert "no answer" in world.in_child()["reason"]  # from a host that refuses, which takes no waiting
    without_waiting = time.monotonic() - start
    with (
        Host({"/mnist.npz": silent()} | mirror(x_train=slowly(bytes(10**7), 20_000))) as host,
        Host(mirror(x_train=trickle_header(0.5))) as other,
    ):
        world.sources((f"{host.url}mnist.npz", None), (f"{host.url}mnist/", None), (f"{other.url}mnist/", None))
        start = time.monotonic()
        result = world.in_child()
        seconds = time.monotonic() - start
        assert len(host.asked) == 2 and len(other.asked) == 1
    assert result["edition"] == "sample"
    assert seconds > files.PATIENCE
    assert seconds - without_waiting < 15
    assert seconds < 20 or without_waiting > 4


def test_the_book_waits_for_no_more_hosts_than_that():
    sources = files.SOURCES
    assert len(sources) == 3 and files.PATIENCE <= 10.5
    assert sum(url.endswith("/") for url, _ in sources) >= 1  # a mirror with IDX files
    assert sources[0] == (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    )


def test_two_processes_at_once(world):
    content = npz()
    with Host({"/mnist.npz": slowly(content, 100_000)}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(content)))
        processes = [world.child() for _ in range(3)]
        results = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
        assert len(host.asked) >= 2  # they did overlap
    for result in results:
        assert result["edition"] == "full" and result["digest"] == EXPECTED["x_train"][1]
    assert world.left_in_data() == ["mnist.npz"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_killed_download_is_never_taken_for_data(world):
    content = npz()
    with Host({"/mnist.npz": slowly(content, 1_000, burst=30_000)}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(content)))
        process = world.child()
        while not any(path.stat().st_size > 20_000 for path in world.data.rglob("*") if path.is_file()):
            time.sleep(0.02)
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    (remains,) = world.left_in_data()
    with Host({"/mnist.npz": serve(content)}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(content)))
        assert_is_mnist(data.load_mnist())
        assert world.left_in_data() == [remains, "mnist.npz"]  # it could be another process's
        os.utime(world.data / remains, (time.time() - 4000,) * 2)
        (world.data / "mnist.npz").unlink()
        data._loaded.clear()
        assert_is_mnist(data.load_mnist())
        assert world.left_in_data() == ["mnist.npz"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes to take writing away")
def test_a_folder_that_may_not_be_written(open_world):
    open_world.data.chmod(0o555)
    with Host({"/mnist.npz": serve(npz())}) as host:
        open_world.sources((f"{host.url}mnist.npz", None), (f"{host.url}mnist/", None))
        result = open_world.in_child(unprivileged=True)
        assert result["edition"] == "sample"
        assert f"{open_world.data} cannot be written: Permission denied" in result["reason"]
        open_world.edition("full")
        assert f"{open_world.data} cannot be written" in open_world.in_child(unprivileged=True)["error"]
        assert not host.asked


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
@pytest.mark.parametrize("room", [0, 50_000])
def test_a_disk_with_too_little_room(world, room):
    with Host({"/mnist.npz": serve(npz())} | mirror()) as host:
        world.sources((f"{host.url}mnist.npz", sha256(npz())), (f"{host.url}mnist/", None))
        result = world.in_child(file_limit=room)
        assert result["edition"] == "sample"
        assert f"{world.data} cannot be written: File too large" in result["reason"]
        assert host.asked == ["/mnist.npz"]  # another host would not help
        assert world.left_in_data() == []


def test_a_disk_without_room_is_an_error_in_full(world):
    world.edition("full")
    with Host({"/mnist.npz": serve(npz())}) as host:
        world.sources((f"{host.url}mnist.npz", sha256(npz())))
        assert f"{world.data} cannot be written: File too large" in world.in_child(file_limit=9_000)["error"]
    assert world.left_in_data() == []


def test_a_disk_that_fills_up_while_the_checked_file_is_written(world):
    def fill(file, **_):
        file.write(b"PK half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    world.monkeypatch.setattr(np, "savez_compressed", fill)
    with Host(mirror()) as host:
        world.sources((f"{host.url}mnist/", None))
        assert os.strerror(errno.ENOSPC) in data.load_mnist().reason
    assert world.left_in_data() == []


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux and root's right to mount a small disk"
)
def test_a_disk_that_is_full(world):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", world.data], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"may not mount here: {mounted.stderr.decode().strip()}")
    try:
        with Host({"/mnist.npz": serve(npz())}) as host:
            world.sources((f"{host.url}mnist.npz", None))
            assert "No space left on device" in data.load_mnist().reason
        assert world.left_in_data() == []
    finally:
        subprocess.run(["umount", world.data], check=True)
