"""load_mnist() in a process of its own, for tests/helpers/test_data.py: settings as JSON in, what happened as JSON out.

Settings: expected, sources, patience and folder replace those of helpers.files and helpers.edition; "unprivileged" drops root's rights (root
reads every file, whatever its mode), "sample" says that the sample edition will be needed then; "file_limit" is the
largest file in bytes that the process may write, as on a full disk; "settle" settles the edition.
"""

import io
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

start = time.monotonic()

import numpy as np  # noqa: E402

from helpers import data, download, edition, files  # noqa: E402

settings = json.loads(sys.argv[1])
if "expected" in settings:
    data.EXPECTED = files.EXPECTED = {
        name: (tuple(shape), digest) for name, (shape, digest) in settings["expected"].items()
    }
if "sources" in settings:
    files.SOURCES = tuple(map(tuple, settings["sources"]))
if "folder" in settings:
    data.data_folder = edition.data_folder = lambda: Path(settings["folder"])
files.PATIENCE = settings.get("patience", files.PATIENCE)
if settings.get("unprivileged"):
    # Root's Python may lie where nobody else can import from: import first what load_mnist() imports when needed.
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(3))
    np.load(io.BytesIO(buffer.getvalue()), allow_pickle=False)["a"].sum()
    if settings.get("sample"):
        data.sample_edition("a rehearsal")
        with suppress(download.DownloadError):
            download.fetch("http://127.0.0.1:1/", {"nothing": None}, Path(tempfile.mkdtemp()), 5)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
if "file_limit" in settings:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (settings["file_limit"],) * 2)

try:
    digits = data.settle_edition() if settings.get("settle") else data.load_mnist(quiet=True)
    result = {"line": str(digits), "edition": digits.edition, "source": digits.source, "reason": digits.reason}
    result["digest"] = files.digest_of(digits.x_train)
    result["fingerprint"] = data.data_fingerprint()
except data.DataError as error:
    result = {"error": str(error)}
print(json.dumps(result | {"seconds": time.monotonic() - start}), flush=True)
