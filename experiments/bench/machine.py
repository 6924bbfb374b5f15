"""The machine that makes a run: processor, cores, threads, versions of what results depend on."""

import functools
import importlib.metadata
import os
import platform

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "scikit-learn", "scikit-learn-intelex")
#: The environment of a process whose BLAS, OpenMP, joblib and TensorFlow keep to one thread each. They read it when they are
#: loaded, so it has to be set before.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "LOKY_MAX_CPU_COUNT",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
    ),
    "1",
)


@functools.cache
def versions():
    """Return Python's version and those of the packages that results depend on, a dict of str."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def processor():
    """Return the processor's model name as far as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def threads():
    """Return how many threads this process may use: 1 where the environment says so, else as many as there are cores."""
    return 1 if ONE_THREAD.items() <= os.environ.items() else os.cpu_count()


def here():
    """Return the machine as a recording keeps it: a dict with processor (str), cores and threads (int), versions (dict)."""
    return {"processor": processor(), "cores": os.cpu_count(), "threads": threads(), "versions": versions()}
