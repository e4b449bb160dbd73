"""Processes that start at once. A nursery has everything imported, compiled and loaded, and forks a child for each order on
its standard input: a line of JSON in, lines of JSON out, the pid and later the exit code. A child is a process of its
own, which dies by kill -9 like any other.

`serve` is the nursery's side, `Nursery` the side that gives orders.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

Order = dict[str, Any]


class Nursery:
    """The process that forks, and what it says about its children. `lane` is a number for one child at a time."""

    def __init__(self, *module: str) -> None:
        """`python -m MODULE ARGS` must call `serve`."""
        here = Path(__file__).parents[2]
        environ = {**os.environ, "PYTHONPATH": str(here)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", *module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=here, env=environ
        )
        self._told: dict[int, Queue[Order]] = defaultdict(Queue)
        self._lock = threading.Lock()
        self._lanes = itertools.count(1_000_000)
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(ready,), name="nursery", daemon=True).start()
        assert ready.wait(300), "the nursery did not come up"
        assert self._process.poll() is None, "the nursery ended at once"

    def stop(self) -> None:
        """Its children are killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def order(self, lane: int, **what: Any) -> int:
        """Fork a child; its pid."""
        assert self._process.stdin is not None
        line = json.dumps({"lane": lane, **what}) + "\n"
        with self._lock:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        return int(self._told[lane].get(timeout=120)["pid"])

    def exit_of(self, lane: int, *, wait_s: float = 0.0) -> int | None:
        """The exit code of the lane's child, or None while it lives."""
        try:
            told = self._told[lane].get(timeout=wait_s) if wait_s else self._told[lane].get_nowait()
        except Empty:
            return None
        return int(told["exit"])

    def child(self, **what: Any) -> Child:
        """Fork a child with a lane of its own."""
        lane = next(self._lanes)
        return Child(self, lane, self.order(lane, **what))

    def _listen(self, ready: threading.Event) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):
            for line in self._process.stdout:
                told = json.loads(line)
                if "ready" in told:
                    ready.set()
                else:
                    self._told[told["lane"]].put(told)
        ready.set()


class Child:
    """One forked process, with the words of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, lane: int, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery, self._lane = nursery, lane

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.exit_of(self._lane)
        return self.returncode

    def wait(self, timeout: float) -> int:
        if self.returncode is None:
            self.returncode = self._nursery.exit_of(self._lane, wait_s=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a child", timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


# --- the nursery's side -----------------------------------------------------------------------------------------------


def serve(work: Callable[[Order], int]) -> None:
    """Fork for every order and do `work` in the child, until standard input ends; call it when everything is loaded.

    An order that says `here` is done in the nursery itself, for what it leaves behind in memory.
    """
    gc.collect()
    gc.freeze()
    _say({"ready": os.getpid()})
    running: dict[int, int] = {}
    wake_in, wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _wake_by(wake_out)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake_in, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in selector.select():
            if key.fd == wake_in:
                os.read(wake_in, 4096)
                continue
            data = os.read(0, 65536)
            if not data:
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                return
            rest += data
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                order = json.loads(line)
                if order.get("here"):
                    _say({"lane": order["lane"], "pid": os.getpid()})
                    code = work(order)
                    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
                        signal.signal(number, signal.SIG_DFL)
                    _wake_by(wake_out)
                    _say({"lane": order["lane"], "exit": code})
                    gc.freeze()
                    continue
                pid = os.fork() or _child(work, order, selector)
                running[pid] = order["lane"]
                _say({"lane": order["lane"], "pid": pid})
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            _say({"lane": running.pop(pid), "exit": os.waitstatus_to_exitcode(status)})


def _wake_by(wake_out: int) -> None:
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)


def _child(work: Callable[[Order], int], order: Order, selector: selectors.BaseSelector) -> int:
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        selector.close()
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(devnull, 1)
        code = work(order)
    except SystemExit as exc:
        code = int(exc.code or 0)
    except BaseException:  # of a child: told in its own log, and its end is its exit code
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _say(what: Order) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())
