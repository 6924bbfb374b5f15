"""How the wall time of a recording falls with the number of workers, for stand-ins that sleep: they need no processor, so that
32 of them fit on two cores, and what is left is the cost of bringing runs to workers.

    python -m experiments.bench.scaling [--runs 64] [--seconds 1] [--workers 1 2 4 8 16 32]
"""

import argparse
import time

from experiments.bench.code import results_code
from experiments.bench.declare import experiment


@experiment(seeds=64)
def stand_in(digits, seed, seconds):
    """Sleep; returns how long."""
    time.sleep(seconds)
    return {"seconds": seconds}


def orders(runs, seconds):
    """Return the orders for some stand-ins."""
    module, name = "experiments.bench.scaling", "stand_in"
    stamp = {"code": results_code().digest(f"{module}:{name}"), "needs": {}}
    order = {"module": module, "name": name, "edition": None, "timed": False, "stamp": stamp}
    return [{**order, "settings": {"seed": seed, "seconds": seconds}} for seed in range(runs)]


def wall_time(workers, runs, seconds):
    """Return the seconds that some runs take on as many workers, started and warmed up before."""
    from experiments.bench.dask_map import Workers

    with Workers(count=workers) as there:
        there.client.wait_for_workers(workers)
        list(there.make(orders(workers, seconds), timed=False))  # one each, for the imports
        start = time.perf_counter()
        list(there.make(orders(runs, seconds), timed=False))
        return time.perf_counter() - start


def main():
    """Measure and print a line for each number of workers."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    options = parser.parse_args()
    print("workers  seconds  at best")
    for workers in options.workers:
        took = wall_time(workers, options.runs, options.seconds)
        print(f"{workers:7}  {took:7.1f}  {-(-options.runs // workers) * options.seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main()
