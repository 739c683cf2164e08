"""Processes that are members of rings: what they tell, and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

__all__ = ["Crowd", "Network", "Process", "Unmeasured", "Usage", "own_network", "usage"]

PATIENCE = 60.0
"""Seconds in which everything that is waited for should have happened."""

_CLOCK_OF_PROCESS = 2
"""In a clock's number, beside the complement of a process's: what all its threads have
computed, in nanoseconds; see clock_getcpuclockid(3)."""


class Unmeasured(Exception):
    """This machine lacks something; says what."""


def _now() -> float:
    return time.clock_gettime(time.CLOCK_MONOTONIC)


@frozen(kw_only=True)
class Usage:
    """
    What a process has used so far.

    :param seconds: of processor time.
    :param megabytes: resident now, 10^6 bytes each.
    """

    seconds: float
    megabytes: float


def usage(pid: int) -> Usage:
    """What a process has used until now."""
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return Usage(
        seconds=time.clock_gettime(~pid << 3 | _CLOCK_OF_PROCESS),
        megabytes=int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6,
    )


@define(eq=False)
class Process:
    """
    One process, with one member or some.

    :param names: of its members.
    """

    names: tuple[str, ...]
    popen: subprocess.Popen[bytes]
    _unfinished: bytes = field(default=b"", init=False)

    @property
    def pid(self) -> int:
        """Its number."""
        return self.popen.pid

    def tell(self, do: str, **arguments: object) -> None:
        """Give it a command; the answer is not waited for."""
        assert self.popen.stdin is not None
        command = {"id": 1, "do": do, **arguments}
        self.popen.stdin.write(json.dumps(command).encode() + b"\n")
        self.popen.stdin.flush()

    def read(self) -> list[dict[str, Any]]:
        """What it told since this was last called."""
        assert self.popen.stdout is not None
        data = os.read(self.popen.stdout.fileno(), 1 << 20)
        if not data:
            raise SystemExit(f"{self.names} ended: {self._unfinished!r}")
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        events = []
        for line in lines:
            if not line.startswith(b"{"):
                print(f"{self.names[0]}: {line.decode(errors='replace')}")
                continue
            event = json.loads(line)
            event.setdefault("peer", self.names[0])
            events.append(event)
        return events


@define(eq=False)
class Crowd:
    """
    All processes of a benchmark.

    :param hear: takes each event of each.
    """

    _hear: Callable[[dict[str, Any]], None]
    _selector: selectors.BaseSelector = field(
        factory=selectors.DefaultSelector, init=False
    )
    _processes: list[Process] = field(factory=list, init=False)

    def start(self, names: Sequence[str], command: Sequence[str | Path]) -> Process:
        """Start one more."""
        popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        process = Process(tuple(names), popen)
        self._processes.append(process)
        assert popen.stdout is not None
        self._selector.register(popen.stdout, selectors.EVENT_READ, process)
        return process

    def kill(self, process: Process) -> float:
        """
        End one, without a word.

        :return: when, in seconds of CLOCK_MONOTONIC.
        """
        assert process.popen.stdout is not None
        self._selector.unregister(process.popen.stdout)
        self._processes.remove(process)
        at = _now()
        process.popen.kill()
        process.popen.wait()
        return at

    def end(self) -> None:
        """End all."""
        for process in tuple(self._processes):
            self.kill(process)

    def listen(self, seconds: float) -> None:
        """Hear what they tell, for so long."""
        deadline = _now() + seconds
        while (left := deadline - _now()) > 0:
            self._listen(left)

    def wait(self, what: str, until: Callable[[], object]) -> None:
        """Hear what they tell, until something is so."""
        deadline = _now() + PATIENCE
        while not until():
            left = deadline - _now()
            if left <= 0:
                raise SystemExit(f"not within {PATIENCE:g} s: {what}")
            self._listen(left)

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            for event in key.data.read():
                self._hear(event)


@frozen
class Network:
    """
    Loopback of its own for the processes that are started in it.

    :param pid: of one that is in it.
    """

    _pid: int

    def command(self, command: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs another in it."""
        enter = ["nsenter", "-t", str(self._pid), "-U", "-n", "--preserve-credentials"]
        return [*enter, "--", *command]

    def bytes_sent(self) -> int:
        """What went over it so far, with the headers of IP, UDP and TCP."""
        # nsenter needs a moment; what the kernel shows below /proc/PID does not.
        for line in Path(f"/proc/{self._pid}/net/dev").read_text().splitlines():
            name, _, counters = line.partition(":")
            if name.strip() == "lo":
                return int(counters.split()[8])
        raise AssertionError("every network has a loopback")


@contextlib.contextmanager
def own_network() -> Iterator[Network]:
    """
    A network that nobody else uses: in a user namespace, so that nobody needs root.

    :raises Unmeasured: this machine does not allow that.
    """
    program = "ip link set lo up && echo up && exec cat"
    with subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as anchor:
        assert anchor.stdout is not None
        if anchor.stdout.readline() != b"up\n":
            raise Unmeasured("no network namespaces: unshare or ip refuse")
        try:
            yield Network(anchor.pid)
        finally:
            anchor.kill()
