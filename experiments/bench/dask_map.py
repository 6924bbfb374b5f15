"""Runs on dask.distributed: on as many processes as there are cores here, or on a cluster of any size.

Only this module imports Dask, which readers do not install. Dask brings runs to workers and results back, and starts a
worker again that has died; which worker makes which run is said here, because a machine that measures time must do nothing
else.
"""

import json
import logging
import os
import tempfile
import time
from collections import Counter, deque

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, wait

from experiments.bench.machine import ONE_THREAD, here
from experiments.bench.runs import ATTEMPTS, described, is_busy, make_run_elsewhere, too_often
from experiments.bench.store import RecordingError

PATIENCE = 120  # seconds to wait for the first worker of a cluster


def on_a_worker(order):
    """Carry out an order in a worker's process."""
    os.environ.update(
        ONE_THREAD
    )  # TensorFlow's, in time; Dask has set those of BLAS and OpenMP before the process began
    return make_run_elsewhere(order)


class Workers:
    """Makes runs on the workers of a cluster; to be used in a ``with`` statement.

    Parameters
    ----------
    scheduler : str, optional
        The address of a scheduler, tcp://host:port. Without it, a cluster is started in processes of this machine.
    count : int, optional
        How many processes to start; as many as there are cores by default.
    """

    def __init__(self, scheduler=None, count=None):
        self.scheduler, self.count = scheduler, count or CPU_COUNT

    def __enter__(self):
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said by this module
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.cluster = None
        try:
            if not self.scheduler:
                self.cluster = LocalCluster(
                    n_workers=self.count,
                    threads_per_worker=1,
                    memory_limit=0,  # a limit would stop runs that fit into the machine
                    host="127.0.0.1",
                    dashboard_address=None,
                    local_directory=self.folder.name,
                    env=ONE_THREAD,
                    silence_logs=logging.CRITICAL,
                )
            self.client = Client(self.cluster or self.scheduler)
            self.client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError) as error:
            self.__exit__()
            raise RecordingError(f"no worker can be had from {self.scheduler or 'this machine'}: {error}") from error
        return self

    def __exit__(self, *error):
        for one in (getattr(self, "client", None), self.cluster):
            if one is not None:
                one.close()
        self.folder.cleanup()

    def workers(self):
        """Return address -> host of the workers that are there now."""
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        return {address: found[address]["host"] for address in sorted(found)}

    def one_of_each_host(self):
        """Return the addresses of one worker of each host, the first."""
        return list({host: address for address, host in reversed(self.workers().items())}.values())

    def clocks(self):
        """Return the addresses of one worker of each host of one kind: of the kind that most hosts are of."""
        found = self.client.run(here, workers=self.one_of_each_host())
        kinds = {
            address: json.dumps({**one, "threads": one["cores"]}, sort_keys=True) for address, one in found.items()
        }
        most = min(Counter(kinds.values()).items(), key=lambda item: (-item[1], item[0]))[0] if kinds else None
        return [address for address in sorted(kinds) if kinds[address] == most]

    def machine(self):
        """Return the machine that makes runs whose time is a result: ``machine.here`` of it, with all its threads."""
        found = self.client.run(here, workers=self.clocks()[:1])
        return next({**one, "threads": one["cores"]} for one in found.values())

    def make(self, orders, timed):
        """Yield (order, run) for each order, as they are finished.

        Parameters
        ----------
        orders : list of dict
        timed : bool
            Whether times are results. Then a host makes one run at a time, and no run is begun before all workers rest.

        Raises
        ------
        RecordingError
            If a run ended every process that made it, or a worker has other code; after all runs under way are finished.
        Exception
            What a run raised, with a note that names it; then too, runs under way are finished first.
        """
        if timed and orders:
            self.wait_for_rest()
        waiting, begun, failure = deque(orders), Counter(), None
        under_way = {}  # future -> (order, the address of its worker)
        while under_way or (waiting and not failure):
            there = self.workers()
            for future in [one for one, (_, address) in under_way.items() if address not in there and not one.done()]:
                order, _ = under_way.pop(future)  # its worker has died
                future.cancel()
                if begun[json.dumps(order)] < ATTEMPTS:
                    waiting.appendleft(order)
                else:
                    failure = failure or too_often(order)
            free = [one for one in (self.clocks() if timed else there) if one not in {a for _, a in under_way.values()}]
            while free and waiting and not failure:
                order, address = waiting.popleft(), free.pop(0)
                begun[json.dumps(order)] += 1
                future = self.client.submit(on_a_worker, order, workers=[address], pure=False)
                under_way[future] = order, address
            for future in self.finished(list(under_way)):
                order, address = under_way.pop(future)
                if future.status == "finished":
                    yield order, future.result()
                elif future.status == "error":
                    failure = failure or noted(future.exception(), order, there.get(address, address))
                else:  # it was lost with the scheduler
                    raise RecordingError(f"the scheduler {self.scheduler or ''} is gone: what is finished is kept")
        if failure:
            raise failure

    def finished(self, futures):
        """Wait for a second at most; return the futures that are done."""
        if not futures:
            time.sleep(0.5)  # all workers have died, or none is free: others may come
            return []
        try:
            return list(wait(futures, timeout=1, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []

    def wait_for_rest(self):
        """Wait until no worker makes a run: one of a program that was stopped may still be under way."""
        while any(self.client.run(is_busy).values()):
            time.sleep(0.5)


def noted(error, order, host):
    """Return an error that says in which run and where it happened."""
    if not isinstance(error, RecordingError):
        error.add_note(f"in the run {described(order)}, on {host}")
    return error
