"""Training that several chapters use: seeds, the course report's settings, and a network trained once and kept."""

import contextlib
import hashlib
import inspect
import json
import os
import re
import time
from pathlib import Path

import helpers.quiet
import keras
import numpy as np

from helpers.data import load_mnist, prepare
from helpers.edition import data_folder
from helpers.models import CLASSES, REPORT_CODE, build_mlp

#: The course report's training, its section 5.4.
REPORT_EPOCHS = 5
REPORT_BATCH_SIZE = 32
REPORT_VALIDATION_SPLIT = 0.2


def seed_offset():
    """What DIGITS_SEED_OFFSET adds to every seed (an integer, 0 by default): used to measure how far results vary."""
    return int(os.environ.get("DIGITS_SEED_OFFSET", "0"))


def set_seed(seed):
    """Seed Python's, NumPy's and Keras's generators (``keras.utils.set_random_seed``), so that a run can be repeated.

    The same seed gives the same result on the same machine with the same versions; another processor may round
    otherwise.
    """
    keras.utils.set_random_seed(seed + seed_offset())


def fit_as_report(x_train, y_train, seed, hidden=REPORT_CODE, epochs=REPORT_EPOCHS, **fit_options):
    """Train exactly as the course report does: Adam, 5 epochs, batches of 32, the last 20% held out for validation.

    Parameters
    ----------
    x_train : float32 (n, 784), in 0..1
    y_train : int (n,); one-hot encoded here, as the report does
    seed : int
    hidden : sequence of int
        Neurons of the hidden layers.
    **fit_options
        Passed on to ``model.fit`` (``callbacks``, say).

    Returns
    -------
    model : keras.Sequential, trained
    history : dict of lists, one value per epoch: loss, accuracy, val_loss, val_accuracy
    seconds : float, wall time of ``fit`` alone
    """
    set_seed(seed)
    model = build_mlp(hidden)
    t_train = keras.utils.to_categorical(y_train, CLASSES)
    options = {"batch_size": REPORT_BATCH_SIZE, "validation_split": REPORT_VALIDATION_SPLIT, "verbose": 0} | fit_options
    start = time.perf_counter()
    history = model.fit(x_train, t_train, epochs=epochs, **options)
    seconds = time.perf_counter() - start
    return model, {name: [float(v) for v in values] for name, values in history.history.items()}, seconds


def what_runs(function):
    """What a function of ours does, for a digest: a list of [name, bytecode, constants, ...], with all of ours that it calls.

    Comments, docstrings, layout and the file that something stands in do not count. The rule is that of
    ``experiments.bench.code``, which reads the text of files; here it is applied to what this process has loaded.
    """
    found, seen, pending = [], set(), [(function, function.__code__)]
    while pending:
        owner, code = pending.pop()
        if id(code) in seen:
            continue
        seen.add(id(code))
        constants = [one for one in code.co_consts if one != owner.__doc__]
        inner = [one for one in constants if inspect.iscode(one)]
        used = {name: owner.__globals__[name] for name in code.co_names if name in owner.__globals__}
        called = [one for one in used.values() if inspect.isfunction(one) and one.__module__.startswith("helpers.")]
        plain = [_plain(one) for one in constants if not inspect.iscode(one)]
        values = {name: _plain(value) for name, value in used.items() if isinstance(value, _VALUES)}
        defaults = [_plain(owner.__defaults__), _plain(owner.__kwdefaults__)]
        found.append([code.co_name, code.co_code.hex(), plain, values, defaults])
        pending += [(owner, one) for one in inner] + [(one, one.__code__) for one in called]
    return found


_VALUES = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset)


def _plain(value):
    """A value as a text that is the same in every process: a set in order, no addresses."""
    value = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def trained_network(seed=0, hidden=REPORT_CODE, folder=None):
    """The report's network trained by ``fit_as_report`` on the current edition: trained at the first call, then read
    from disk.

    The file lies in ``models`` of the data folder (or in ``folder``); its name carries the settings, the training images' digest, the
    versions of Keras and TensorFlow and the code that trains, so that a change of any of them trains afresh.

    Returns
    -------
    keras.Sequential
    """
    import tensorflow as tf

    digits = load_mnist(quiet=True)
    settings = [seed + seed_offset(), list(hidden), keras.__version__, tf.__version__, what_runs(fit_as_report)]
    key = hashlib.sha256(json.dumps(settings).encode())
    key.update(np.ascontiguousarray(digits.x_train).data)
    folder = Path(folder) if folder else data_folder() / "models"
    path = folder / f"mlp-{'-'.join(map(str, hidden))}-{key.hexdigest()[:16]}.keras"
    if path.exists():
        try:
            return keras.saving.load_model(path)
        except Exception:  # cut short or altered, which shows in a dozen ways: train again, the file is only a copy
            with contextlib.suppress(OSError):
                path.unlink()
    model, _, _ = fit_as_report(prepare(digits.x_train), digits.y_train, seed, hidden)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            model.save(half)
            os.replace(half, path)  # whole or not at all
        finally:
            half.unlink(missing_ok=True)
    except OSError:  # a read-only folder or a full disk costs the copy, not the result
        pass
    return model
