"""A real JupyterHub on this computer, on loopback alone, to try a course in and to measure memory with.

Run as root and with bubblewrap, each person has a user id, home and file permissions of their own, as in a cluster or on
a course's server. Nothing of the machine changes for that: the hub runs in a mount namespace with an /etc/passwd of its
own, and all of its processes end with it. Run by another user, everybody is that user, and ``real_users`` is False: then file
permissions between people are not real. In the namespace this user is called jovyan, the one name for which nbgrader
asks the hub who somebody is.
"""

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import requests

from coursework import ROOT, SOURCES
from coursework.hub import HERE, classlist
from coursework.hub.proxy import proxy_command

PATIENCE = 60  # seconds for a start of the hub or of a server

CONFIG = """
import os

c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = {command!r}
c.JupyterHub.db_url = "sqlite:///{hub_folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{hub_folder}/cookie_secret"
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = {password!r}
c.JupyterHub.spawner_class = {spawner!r}
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.start_timeout = {patience}
c.Spawner.http_timeout = {patience}
c.Spawner.environment = {environment!r}
c.LocalProcessSpawner.interrupt_timeout = 2
c.LocalProcessSpawner.term_timeout = 2
c.JupyterHub.cleanup_servers = True
c.JupyterHub.log_level = "INFO"
load_subconfig("{course}")
"""


class HubError(Exception):
    """The hub on this computer does not do what it should; the message names the thing, the fault and the cure."""


def free_ports(number):
    """Return ``number`` different free TCP ports of 127.0.0.1."""
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def closed_folder(path):
    """Return the topmost folder on the way to ``path`` that other users may not pass through; None if there is none."""
    path = Path(path)
    for folder in [*reversed(path.parents), path]:
        if folder.is_dir() and not folder.stat().st_mode & 0o001:
            return folder
    return None


def way_in(paths):
    """Return bubblewrap's options by which other users reach ``paths``, read-only, whatever folders above them are closed.

    A closed folder (root's home, say) is covered by an empty one, in which these paths alone appear: so its other content
    is also out of the students' sight.
    """
    options, covered = [], set()
    for path in map(Path, paths):
        folder = closed_folder(path)
        if folder is None:
            continue
        if folder == path:
            raise HubError(
                f"Other users may not enter {path}: the hub cannot run servers for them. Give it chmod o+rx, or copy the repository."
            )
        if folder not in covered:
            covered.add(folder)
            options += ["--perms", "0755", "--tmpfs", str(folder)]
        for between in reversed(
            path.relative_to(folder).parents[:-1]
        ):  # bubblewrap alone would make them for root only
            options += ["--perms", "0755", "--dir", str(folder / between)]
        options += ["--ro-bind", str(path), str(path)]
    return options


def has_real_users():
    """True if this process may start servers as several users: it is root, and bubblewrap works."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("bwrap"):
        return False
    start = [
        "bwrap",
        "--dev-bind",
        "/",
        "/",
        "--unshare-pid",
        "--cap-add",
        "ALL",
        "--",
        "mount",
        "-t",
        "proc",
        "proc",
        "/proc",
    ]
    done = subprocess.run(start, capture_output=True)
    return done.returncode == 0


class LocalHub:
    """A JupyterHub with a class list; use as ``with LocalHub(teachers=[...], students=[...]) as hub``.

    Attributes: ``url``; ``folder`` (a temporary folder, gone at the end); ``homes`` and ``exchange`` in it; ``listed``, the class
    list; ``real_users``.
    """

    def __init__(self, teachers, students, course="digits", environment=()):
        self.real_users = has_real_users()
        self.listed = classlist.enrol({"course": course, "people": {}}, teachers, students)
        self.password = secrets.token_urlsafe(16)
        self.environment = dict(environment)
        self.process = None

    def __enter__(self):
        if not shutil.which("bwrap"):
            raise HubError("A hub to try needs bubblewrap: install it (Debian and Ubuntu: apt install bubblewrap).")
        if not self.real_users and os.geteuid() == 0:
            raise HubError(
                "Bubblewrap may not make namespaces here, and as root nothing else does: run it as another user."
            )
        self.folder = Path(tempfile.mkdtemp(prefix="digits-hub-"))
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def home(self, name):
        """Return the home of a person, a path."""
        return self.homes / name

    def give(self, name, path):
        """Make a person the owner of ``path`` and of all that lies in it."""
        if self.real_users:
            for one in [path, *path.rglob("*")]:
                os.chown(one, self.listed["people"][name]["uid"], classlist.USERS_GROUP, follow_symlinks=False)

    def log(self):
        """Return what the hub and the servers wrote, as text."""
        return (self.folder / "hub/log").read_text(encoding="utf-8", errors="replace")

    def _prepare(self):
        self.folder.chmod(0o711)
        self.homes, self.exchange, private = self.folder / "homes", self.folder / "exchange", self.folder / "hub"
        self.homes.mkdir()
        private.mkdir(mode=0o700)
        self.exchange.mkdir()
        self.exchange.chmod(0o1777)  # everybody may write; only its owner removes a course
        for name in self.listed["people"]:
            self.home(name).mkdir(mode=0o700)
            self.give(name, self.home(name))
        (private / "class.json").write_text(json.dumps(self.listed), encoding="utf-8")
        names = classlist.passwd(self.listed, home=f"{self.homes}/{{name}}")
        if not self.real_users:
            names = f"jovyan:x:{os.getuid()}:{os.getgid()}:jovyan:{self.folder}:/bin/bash\n" + names
        (self.folder / "passwd").write_text(names, encoding="utf-8")

    def _start(self):
        private = self.folder / "hub"
        public, hub, proxy = free_ports(3)
        self.url = f"http://127.0.0.1:{public}"
        environment = {
            "NBGRADER_EXCHANGE": str(self.exchange),
            "DIGITS_EDITION": "sample",
            **self.environment,
        }
        config = CONFIG.format(
            public=public,
            hub=hub,
            proxy=proxy,
            command=proxy_command(),
            hub_folder=private,
            password=self.password,
            spawner="localprocess" if self.real_users else "simple",
            python=sys.executable,
            patience=PATIENCE,
            environment=environment,
            course=HERE / "course_on_hub.py",
        )
        if not self.real_users:
            config += f'c.SimpleLocalProcessSpawner.home_dir_template = "{self.homes}/{{username}}"\n'
        (private / "jupyterhub_config.py").write_text(config, encoding="utf-8")
        command = [sys.executable, "-m", "jupyterhub", "--config", str(private / "jupyterhub_config.py")]
        if self.real_users:
            # /proc is mounted in the new namespace by hand: bubblewrap's own has covered places, and a system that sees
            # these forbids the sandbox in which a teacher's server grades to have its own /proc.
            inside = ["sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh", *command]
            command = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--die-with-parent", "--cap-add", "ALL"]
            command += way_in([Path(sys.base_prefix), ROOT])
            if SOURCES.is_dir():  # as in the image, the sources with their solutions are not where students are
                command += ["--tmpfs", str(SOURCES)]
            command += ["--ro-bind", str(self.folder / "passwd"), "/etc/passwd", "--", *inside]
        else:
            start = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
            command = [*start, "--ro-bind", str(self.folder / "passwd"), "/etc/passwd", "--", *command]
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "NBGRADER", "PYTEST"))
        }
        # nbgrader starts the program alembic by its bare name, so the environment's programs must be on the path.
        environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
        environ |= {
            "DIGITS_CLASS": str(private / "class.json"),
            "DIGITS_ROLES": str(HERE / "roles"),
            "DIGITS_BOOK": str(ROOT),
        }
        with open(private / "log", "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=private, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait(lambda: requests.get(f"{self.url}/hub/health", timeout=5).ok, "the hub")

    def _wait(self, ready, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise HubError(
                    f"JupyterHub ended with {self.process.returncode} before {what} was ready:\n{self.log()[-3000:]}"
                )
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                if ready():
                    return
            time.sleep(0.2)
        raise HubError(f"{what} was not ready after {PATIENCE} s:\n{self.log()[-3000:]}")

    def sign_in(self, name):
        """Sign a person in as a browser would, start the server, and return the :class:`Visitor`."""
        visitor = Visitor(self, name)
        visitor.start()
        return visitor


class Visitor:
    """A person with a browser: a session with cookies, signed in to the hub and to her or his own server."""

    def __init__(self, hub, name):
        self.hub, self.name = hub, name
        self.session = requests.Session()
        self.base = f"{hub.url}/user/{name}"

    def _xsrf(self, path):
        """Return the token that the page under ``path`` was given in a cookie, which each change must repeat."""
        found = [one.value for one in self.session.cookies if one.name == "_xsrf" and one.path == path]
        if not found:
            raise HubError(f"No _xsrf cookie for {path}: {[(one.name, one.path) for one in self.session.cookies]}")
        return found[0]

    def start(self):
        """Sign in, start the server, and follow the hub's redirections into it."""
        self.session.get(f"{self.hub.url}/hub/login", timeout=PATIENCE).raise_for_status()
        form = {"username": self.name, "password": self.hub.password, "_xsrf": self._xsrf("/hub/")}
        self.session.post(f"{self.hub.url}/hub/login?next=/hub/home", data=form, timeout=PATIENCE).raise_for_status()
        api = f"{self.hub.url}/hub/api/users/{self.name}"
        headers = {"X-XSRFToken": self._xsrf("/hub/"), "Referer": f"{self.hub.url}/hub/home"}
        self.session.post(f"{api}/server", headers=headers, timeout=PATIENCE).raise_for_status()
        self.hub._wait(
            lambda: self.session.get(api, headers=headers, timeout=5).json()["server"], f"{self.name}'s server"
        )
        self.session.get(f"{self.base}/lab", timeout=PATIENCE).raise_for_status()

    def get(self, path, **arguments):
        """GET a path of the own server, or of ``base``; returns the response of requests."""
        return self.session.get(f"{self.base}/{path}", timeout=PATIENCE, **arguments)

    def send(self, method, path, **arguments):
        """Send a change to the own server with the XSRF token that its pages were given; returns the response of requests."""
        headers = {"X-XSRFToken": self._xsrf(f"/user/{self.name}/")}
        return self.session.request(method, f"{self.base}/{path}", headers=headers, timeout=300, **arguments)

    def read(self, path):
        """Return the model that the contents API gives of a file or folder of the own home."""
        answer = self.get(f"api/contents/{path}")
        answer.raise_for_status()
        return answer.json()

    def save(self, path, notebook):
        """Save a notebook under ``path`` of the own home, as JupyterLab does."""
        self.send(
            "PUT", f"api/contents/{path}", json={"type": "notebook", "format": "json", "content": notebook}
        ).raise_for_status()

    def kernel(self, path=""):
        """Start a kernel in the folder of ``path``; returns its id."""
        answer = self.send("POST", "api/kernels", json={"name": "python3", "path": path})
        answer.raise_for_status()
        return answer.json()["id"]

    def run(self, kernel, code, patience=600):
        """Run code in a kernel of the own server; returns what it printed, the traceback (without colours) if it raised.

        Raises HubError if the kernel does not end in ``patience`` seconds.
        """
        return asyncio.run(self._run(kernel, code, patience))

    async def _run(self, kernel, code, patience):
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        cookies = "; ".join(
            f"{one.name}={one.value}"
            for one in self.session.cookies
            if urlsplit(self.base).path.startswith(one.path.rstrip("/"))
        )
        url = f"{self.base}/api/kernels/{kernel}/channels".replace("http://", "ws://")
        request = HTTPRequest(
            url, headers={"Cookie": cookies, "Origin": self.hub.url, "X-XSRFToken": self._xsrf(f"/user/{self.name}/")}
        )
        socket_ = await websocket_connect(request, max_message_size=2**30)
        ours = uuid.uuid4().hex
        header = {
            "msg_id": ours,
            "username": self.name,
            "session": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "version": "5.3",
        }
        content = {
            "code": code,
            "silent": False,
            "store_history": False,
            "allow_stdin": False,
            "stop_on_error": True,
            "user_expressions": {},
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
            "buffers": [],
        }
        await socket_.write_message(json.dumps(message))
        told = []
        try:
            async with asyncio.timeout(patience):
                while True:
                    text = await socket_.read_message()
                    if text is None:
                        raise HubError(f"The kernel of {self.name} went away while it ran: {code[:200]}")
                    if not isinstance(text, str):
                        continue
                    answer = json.loads(text)
                    if answer["parent_header"].get("msg_id") != ours:
                        continue
                    if answer["msg_type"] == "stream":
                        told.append(answer["content"]["text"])
                    elif answer["msg_type"] == "error":
                        told.append(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(answer["content"]["traceback"])))
                    elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                        return "".join(told)
        except TimeoutError:
            raise HubError(f"A cell of {self.name} did not end in {patience} s: {code[:200]}") from None
        finally:
            socket_.close()
