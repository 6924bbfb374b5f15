"""Run the cells of one submission, inside the sandbox: the untrusted side of coursework/sandbox/outside.py.

Started by bubblewrap with Python's isolated mode, from this file alone: it must import nothing of the book, and IPython alone
besides the standard library. The driver outside sends one cell at a time over a pipe and gets its outputs back over another, each
message as four bytes of length (big-endian) and that many bytes of JSON. A submission's code runs in this very process, so nothing
that leaves it is believed without a check; see coursework/README.md for what that can and cannot prevent.
"""

import ast
import asyncio
import base64
import builtins
import json
import linecache
import os
import random
import resource
import shutil
import struct
import sys
import types

#: modules whose functions are put back before each test cell, by the first part of their name
GUARDED = ("builtins", "math", "numpy", "statistics")


def limit_resources(limits):
    """Set hard limits on this process and its children; they cannot be raised again without privileges."""
    # RLIMIT_DATA counts writable private memory. RLIMIT_AS would count address space, of which TensorFlow and BLAS
    # reserve gigabytes that they never touch. The driver watches what is really used, of the whole process tree.
    for kind, value in (
        (resource.RLIMIT_DATA, limits["data_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
        (resource.RLIMIT_NPROC, limits["threads"]),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_CORE, 0),
    ):
        if value is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


class Channel:
    """The two pipes to the driver. What is sent carries the token of the request that it answers."""

    def __init__(self, requests, results):
        self.requests = requests
        # an unusual number, so that code which closes or writes to the usual ones by mistake does not meet it
        self.results = random.SystemRandom().randrange(200, 400)
        os.dup2(results, self.results, inheritable=False)
        os.close(results)
        os.set_inheritable(requests, False)

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = os.read(self.requests, size - len(data))
            if not part:
                os._exit(0)  # the driver has gone
            data += part
        return data

    def receive(self):
        """Return the next request, a dict."""
        return json.loads(self._read(struct.unpack(">I", self._read(4))[0]))

    def send(self, **message):
        """Send one message."""
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data)) + data
        try:
            while data:
                data = data[os.write(self.results, data) :]
        except OSError:
            os._exit(77)  # the submission's code has closed it


class Outputs:
    """Collects the outputs of one cell, within limits: bytes of text and of pictures."""

    def __init__(self, text_bytes, picture_bytes):
        self.text_left, self.picture_left = text_bytes, picture_bytes
        self.said_cut = False
        self.list = []

    def stream(self, name, text):
        """Add printed text; what is beyond the limit is dropped at once, so that it is never held."""
        if self.text_left <= 0:
            if not self.said_cut:
                self.said_cut = True
                self._append("stdout", "\n[the rest of the output is cut: the cell printed too much]\n")
            return
        kept = text[: self.text_left]
        self.text_left -= max(len(kept), 1)
        self._append(name, kept)
        if len(kept) < len(text):
            self.text_left = 0
            self.stream(name, "")

    def _append(self, name, text):
        last = self.list[-1] if self.list else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["parts"].append(text)
        else:
            self.list.append({"output_type": "stream", "name": name, "parts": [text]})

    def bundle(self, kind, data, count=None):
        """Add a display or a result: data is a dict from MIME type to what IPython's formatters gave."""
        kept = {}
        for mime, value in data.items():
            if isinstance(value, bytes):
                value = base64.b64encode(value).decode()
            if not isinstance(value, str):
                continue
            size = len(value)
            if mime.startswith(("image/", "text/html")):
                if size > self.picture_left:
                    kept.setdefault("text/plain", f"[{mime} left out: too large]")
                    continue
                self.picture_left -= size
            else:
                value = value[: max(self.text_left, 0)]
                self.text_left -= len(value)
            kept[mime] = value
        self.list.append({"output_type": kind, "data": kept, "count": count})

    def error(self, name, value, traceback):
        """Add an error output."""
        self.list.append({"output_type": "error", "ename": name, "evalue": value[:4000], "traceback": traceback})

    def joined(self):
        """Return the outputs as a list of dicts ready for JSON."""
        for output in self.list:
            if "parts" in output:
                output["text"] = "".join(output.pop("parts"))
        return self.list


class Printed:
    """Stands in for sys.stdout or sys.stderr."""

    encoding = "utf-8"
    errors = "replace"
    closed = False

    def __init__(self, state, name):
        self._state, self.name = state, name

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._state.outputs.stream(self.name, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writable(self):
        return True

    def readable(self):
        return False

    def fileno(self):
        return 1 if self.name == "stdout" else 2


def no_input(prompt="", *_, **__):
    """Stand in for input(): nobody is there to answer."""
    raise EOFError("input() waits for somebody at the keyboard, and there is nobody while a notebook is graded")


def display_classes(state):
    """Return IPython's classes for displays and for results, made to write to ``state.outputs``."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, **_):
            state.outputs.bundle("display_data", data)

        def clear_output(self, wait=False):
            state.outputs.list.clear()

    class Hook(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            state.outputs.bundle("execute_result", format_dict, self.prompt_count)

        def finish_displayhook(self):
            self.flush()

        def flush(self):
            pass

    return Publisher, Hook


def make_shell(state):
    """Return an InteractiveShell, without history on disk, whose outputs go to ``state.outputs``."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def init_history(self):
            self.history_manager = HistoryManager(shell=self, parent=self, enabled=False)
            self.configurables.append(self.history_manager)

        def _showtraceback(self, etype, evalue, stb):
            state.outputs.error(getattr(etype, "__name__", "Error"), str(evalue), [str(line) for line in stb])

        def enable_gui(self, gui=None):
            pass  # no window can open here; %matplotlib inline needs none

        def init_sys_modules(self):
            # the notebook's namespace is __main__, as in a kernel, so that pickle finds what it defines
            self._main_mod_cache = {}
            sys.modules["__main__"] = self.user_module

    publisher, hook = display_classes(state)
    shell = Shell.instance(display_pub_class=publisher, displayhook_class=hook, colors="nocolor", cache_size=0)
    shell.user_module.__name__ = "__main__"
    return shell


class Guard:
    """Puts functions of a few modules back as they were before the first cell of the student ran."""

    def __init__(self):
        self.kept = None

    def snapshot(self):
        """Remember the functions and classes of the guarded modules."""
        if self.kept is None:
            self.kept = {
                module: {key: value for key, value in vars(module).items() if callable(value)}
                for name, module in list(sys.modules.items())
                if name.split(".")[0] in GUARDED and isinstance(module, types.ModuleType)
            }

    def restore(self):
        """Put them back; returns the names that were changed, sorted."""
        changed = []
        for module, before in (self.kept or {}).items():
            now = vars(module)
            for key, value in before.items():
                if now.get(key) is not value:
                    now[key] = value
                    changed.append(f"{module.__name__}.{key}")
        return sorted(changed)


class State:
    """What the parts of the worker share: the outputs of the cell that is running."""

    outputs = None


def places(error, file):
    """Return where an error passed, outermost first: a list of [line of the test cell or 0, text for other frames]."""
    found, trace = [], error.__traceback__
    while trace is not None and len(found) < 200:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if code.co_filename == file:
            found.append([line, ""])
        elif code.co_filename != __file__:
            source = linecache.getline(code.co_filename, line).strip()
            name = code.co_filename if "site-packages" in code.co_filename else "your cell"
            found.append([0, f"{os.path.basename(name)}, line {line}, in {code.co_name}: {source}"[:500]])
        trace = trace.tb_next
    return found[:3] + found[-12:] if len(found) > 15 else found


# Test cells are run by these, kept here before any other code could replace them.
_compile, _exec, _eval, _str, _type, _parse = compile, exec, eval, str, type, ast.parse


def run_test(shell, state, source, forget):
    """Run one test cell straight in the notebook's namespace: no history, no source left behind for later cells.

    ``forget`` are the names that only hidden tests bind; they are gone afterwards. Returns the error as a dict, or None.
    """
    names = shell.user_ns
    before = {name: names[name] for name in forget if name in names}
    names["__builtins__"] = builtins
    file = f"<test {random.SystemRandom().getrandbits(64):x}>"
    told = None
    try:
        with shell.builtin_trap, shell.display_trap:
            tree = _parse(shell.transform_cell(source))
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            _exec(_compile(tree, file, "exec"), names)
            if last is not None:
                value = _eval(_compile(ast.Expression(last.value), file, "eval"), names)
                if not source.rstrip().endswith(";"):
                    shell.displayhook(value)
    except BaseException as error:  # a student's function may raise anything, SystemExit included
        told = {"ename": _type(error).__name__, "evalue": _str(error)[:4000], "places": places(error, file)}
        error.__traceback__ = None
    for name in forget:
        names.pop(name, None)
    names.update(before)
    shell.events.trigger("post_execute")
    return told


def run_cell(shell, source):
    """Run a cell as a kernel does; returns whether it raised. What it showed is in the outputs."""
    result = shell.run_cell(source, store_history=True)
    return result.error_in_exec is not None or result.error_before_exec is not None


def main():
    """Serve requests until the driver closes the pipe."""
    requests, results, settings = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    limits = settings["limits"]
    channel = Channel(requests, results)
    limit_resources(limits)
    # the files beside the notebook, read-only, and their private copy, where the cells run
    given, work = settings["given"], settings["work"]
    shutil.copytree(given, work)
    os.chdir(work)
    for folder, _, files in os.walk(work):
        os.chmod(folder, 0o700)
        for file in files:
            os.chmod(os.path.join(folder, file), 0o600)
    sys.path.insert(0, work)  # where a notebook's own imports look, as in a kernel
    sys.argv = [""]
    state, guard = State(), Guard()
    state.outputs = Outputs(limits["text_bytes"], limits["picture_bytes"])
    asyncio.set_event_loop(asyncio.new_event_loop())
    shell = make_shell(state)
    sys.stdout, sys.stderr = Printed(state, "stdout"), Printed(state, "stderr")
    builtins.input = no_input
    channel.send(kind="ready", token=settings["token"])
    while True:
        request = channel.receive()
        state.outputs = Outputs(limits["text_bytes"], limits["picture_bytes"])
        error, failed, changed = None, False, []
        if request["kind"] == "student":
            guard.snapshot()
        if request["kind"] == "test":
            changed = guard.restore()
            sys.stdout, sys.stderr = Printed(state, "stdout"), Printed(state, "stderr")
            error = run_test(shell, state, request["source"], request["forget"])
            failed = error is not None
        else:
            failed = run_cell(shell, request["source"])
        channel.send(
            kind="done",
            token=request["token"],
            failed=failed,
            error=error,
            outputs=[] if request["silent"] else state.outputs.joined(),
            changed=changed[:20],
        )


if __name__ == "__main__":
    main()
