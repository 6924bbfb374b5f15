"""load_mnist() in a process of its own, for tests/helpers/test_data.py: settings as JSON in, what happened as JSON out.

Settings: expected, sources, patience and folder replace those of helpers.files and helpers.edition; "unprivileged" has root obey
the modes of files; "file_limit" is the largest file in bytes that the process may write, as on a full disk; "settle" settles the
edition.
"""

import json
import sys
import time
from pathlib import Path

start = time.monotonic()

from rights import give_up_roots_rights  # noqa: E402

from helpers import data, edition, files  # noqa: E402

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
    give_up_roots_rights()
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
