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
from concurrent.futures import CancelledError

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, wait

from experiments.bench.machine import ONE_THREAD, here
from experiments.bench.runs import ATTEMPTS, described, is_busy, make_run_elsewhere, too_often
from experiments.bench.store import RecordingError

PATIENCE = 120  # seconds to wait for a worker where there is none


def on_a_worker(order):
    """Carry out an order in a worker's process."""
    # In time for TensorFlow; for BLAS and OpenMP, Dask has set them before the process began.
    os.environ.update(ONE_THREAD)
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
        self.kind, self.seen, self.of_the_kind = None, None, []

    def __enter__(self):
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is said by this module
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
        try:
            found = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise self.gone() from error
        return {address: found[address]["host"] for address in sorted(found)}

    def gone(self):
        """Return the error for a scheduler that does not answer any more."""
        return RecordingError(f"the scheduler {self.scheduler or 'of this machine'} is gone: what is finished is kept")

    def one_of_each_host(self):
        """Return the addresses of one worker of each host, the first."""
        return list({host: address for address, host in reversed(self.workers().items())}.values())

    def kinds(self):
        """Return address -> kind of machine (str) of one worker of each host, as ``machine.here`` sees it with all threads."""
        found = self.client.run(here, workers=self.one_of_each_host(), on_error="ignore")
        return {at: json.dumps({**one, "threads": one["cores"]}, sort_keys=True) for at, one in sorted(found.items())}

    def machine(self):
        """Choose the kind of machine that makes runs whose time is a result: the one that most hosts are of; return it.

        Raises
        ------
        RecordingError
            If there is no worker.
        """
        counts = Counter(self.kinds().values())
        if not counts:
            raise RecordingError(f"no worker answers at {self.scheduler or 'this machine'}")
        self.kind = min(counts, key=lambda kind: (-counts[kind], kind))
        return json.loads(self.kind)

    def free(self, there, under_way, timed):
        """Return the addresses of the workers that may begin a run; where times are results, one of each host that rests."""
        busy = {address for _, address in under_way.values()}
        if not timed:
            return [address for address in there if address not in busy]
        if there != self.seen:
            self.of_the_kind = [address for address, kind in self.kinds().items() if kind == self.kind]
            self.seen = there
        hosts = {there.get(address) for address in busy}
        return [address for address in self.of_the_kind if there[address] not in hosts]

    def lost(self, there, under_way):
        """Take the runs whose worker has died out of ``under_way``; return their orders."""
        futures = [one for one, (_, address) in under_way.items() if address not in there and not one.done()]
        for future in futures:
            future.cancel()
        return [under_way.pop(future)[0] for future in futures]

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
        last_seen = time.monotonic()
        under_way = {}  # future -> (order, the address of its worker)
        while under_way or (waiting and not failure):
            there = self.workers()
            for order in self.lost(there, under_way):
                if begun[json.dumps(order)] < ATTEMPTS:
                    waiting.appendleft(order)
                else:
                    failure = failure or too_often(order)
            free = self.free(there, under_way, timed)
            if free or under_way:
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > PATIENCE:
                raise RecordingError(
                    f"no worker has come for {PATIENCE} s that may make runs: what is finished is kept"
                )
            while free and waiting and not failure:
                order, address = waiting.popleft(), free.pop(0)
                begun[json.dumps(order)] += 1
                future = self.client.submit(on_a_worker, order, workers=[address], pure=False)
                under_way[future] = order, address
            for future in self.finished(list(under_way)):
                order, address = under_way.pop(future)
                if future.status == "finished":
                    yield order, future.result()
                else:
                    failure = failure or self.fault(future, order, there.get(address, address))
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
        except CancelledError as error:
            raise self.gone() from error

    def wait_for_rest(self):
        """Wait until no worker makes a run: one of a program that was stopped may still be under way."""
        while any(self.client.run(is_busy, on_error="ignore").values()):
            time.sleep(0.5)

    def fault(self, future, order, host):
        """Return the error of a run that failed on a host, with a note that says which and where."""
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, CancelledError):
            return self.gone()
        if not isinstance(error, RecordingError):
            error.add_note(f"in the run {described(order)}, on {host}")
        return error
