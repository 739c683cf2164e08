"""
One e2d on real processes: its directory, its ports, its commands, and what is left.

Everything here blocks and is bounded in time: a test of processes has nothing else to
do meanwhile. Readiness is seen through the API and through ``/proc``, never waited for
by a fixed sleep.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import yaml
from attrs import frozen

from twisted.trial.unittest import TestCase

from tests.integration.etcds import EtcdLine, free_ports
from tests.integration.watching import PATIENCE, arguments_of, get, is_running, until
from tests.packaging.tree import ROOT

__all__ = [
    "E2D",
    "TWISTD",
    "Daemon",
    "DaemonTestCase",
    "Outcome",
]

LOG_TAIL = 6000

E2D = (sys.executable, "-m", "e2d")
TWISTD = (
    sys.executable,
    "-c",
    "from twisted.scripts.twistd import run; run()",
    "-n",
    "--pidfile=",
    "e2d",
)
"""Debian calls it twistd3: the function is called the same everywhere."""


@frozen(kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


class Daemon:
    """
    A node: an empty directory, three ports of loopback, a configuration, and whatever
    was started on them.

    :param etcd: the etcd that it runs.
    :param keys: of the configuration, beside or instead of what every test needs.
    :ivar keeps_breadcrumb: whether it has a ``$STATE_DIRECTORY``.
    """

    keeps_breadcrumb = True

    def __init__(self, etcd: EtcdLine, **keys: Any) -> None:  # noqa: ANN401 - YAML
        self.etcd = etcd
        self.root = Path(tempfile.mkdtemp(prefix="e2d-", dir="/tmp"))
        self.data = self.root / "data"
        self.config = self.root / "e2d.yaml"
        self.client, self.peer, self.api = free_ports(3)
        self.keys: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._runs = 0
        self.configure(
            apiVersion="e2d.crit.sh/v1beta1",
            kind="Configuration",
            dataDir=str(self.data),
            clientAddr=f"127.0.0.1:{self.client}",
            peerAddr=f"127.0.0.1:{self.peer}",
            api={"addr": f"127.0.0.1:{self.api}"},
            etcd={"binary": etcd.binary("etcd")},
            unsafeNoFsync=True,
        )
        self.configure(**keys)

    # -- configuration ------------------------------------------------------------

    def configure(self, **keys: Any) -> None:  # noqa: ANN401 - YAML
        """Change keys of the configuration; None removes one."""
        self.keys.update(keys)
        kept = {key: value for key, value in self.keys.items() if value is not None}
        self.config.write_text(yaml.safe_dump(kept))

    @property
    def endpoint(self) -> str:
        """Where etcd serves clients."""
        return f"127.0.0.1:{self.client}"

    def environment(self) -> dict[str, str]:
        """What e2d and the commands inherit: nothing of a service manager's."""
        state = {"STATE_DIRECTORY": str(self.root / "state")}
        return {
            **(state if self.keeps_breadcrumb else {}),
            "HOME": str(self.root),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.etcd.directory}:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": str(ROOT),
            "ETCDCTL_API": "3",
        }

    # -- the process ----------------------------------------------------------------

    def start(
        self,
        *arguments: str,
        program: Sequence[str] = (*E2D, "run"),
        stdin: IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """
        Start e2d; returns at once.

        :param arguments: instead of ``-c`` and the configuration.
        :param wrapper: words to be put before the command.
        """
        assert self.process is None or self.process.poll() is not None
        self._runs += 1
        command = [*wrapper, *program, *(arguments or ("-c", str(self.config)))]
        with (self.root / f"e2d-{self._runs}.log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.root,
                env={**self.environment(), **(env or {})},
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def serve(self, seconds: float = PATIENCE) -> None:
        """Start e2d and wait until it is ready."""
        self.start()
        self.wait_ready(seconds)

    def wait_ready(self, seconds: float = PATIENCE) -> None:
        """Until ``/readyz`` says so; at once an error if e2d ends meanwhile."""

        def ready() -> bool:
            assert self.alive, f"e2d ended: {self.log()[-LOG_TAIL:]}"
            return self.get("/readyz")[0] == http.HTTPStatus.OK

        until("e2d is ready", ready, seconds)

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process, which was started."""
        assert self.process is not None
        return self.process

    def lock_is_held(self) -> bool:
        """Whether e2d has come so far as to take the data directory."""
        with contextlib.suppress(OSError):
            return self.data.joinpath("e2d/lock").read_text() == f"{self.running.pid}\n"
        return False

    @property
    def alive(self) -> bool:
        """Whether e2d runs."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send e2d a signal; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self.running.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """
        Until e2d has ended.

        :return: its exit code; negative for a signal.
        """
        return self.running.wait(seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell e2d to end, and wait for it; its exit code."""
        self.send(number)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL e2d and nothing else."""
        self.send(signal.SIGKILL)
        self.wait()

    def kill_group(self) -> None:
        """SIGKILL e2d's process group, as a shell does for a job."""
        os.killpg(self.running.pid, signal.SIGKILL)
        self.wait()

    def log(self) -> str:
        """What the last e2d wrote."""
        path = self.root / f"e2d-{self._runs}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # -- etcd -------------------------------------------------------------------------

    def etcds(self) -> list[int]:
        """The etcds that run on the data directory, whoever started them."""
        directory = str(self.data)
        found = []
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                words = arguments_of(int(entry.name))
                if any(directory in word for word in words[1:]):
                    found.append(int(entry.name))
        return found

    def etcd_pid(self) -> int:
        """The one etcd that runs here."""
        (pid,) = self.etcds()
        return pid

    def etcd_arguments(self) -> dict[str, str]:
        """The flags that the running etcd was given."""
        pairs = (word.partition("=") for word in arguments_of(self.etcd_pid())[1:])
        return {flag.lstrip("-"): value for flag, _, value in pairs}

    def kill_etcd(self) -> list[int]:
        """SIGKILL etcd; which ones there were."""
        pids = self.etcds()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until("etcd is gone", lambda: not any(map(is_running, pids)))
        return pids

    def etcdctl(self, *arguments: str, seconds: float = PATIENCE) -> Outcome:
        """Run etcdctl of the same line."""
        return self.run(
            self.etcd.binary("etcdctl"), "--endpoints", self.endpoint, *arguments,
            seconds=seconds,
        )  # fmt: skip

    # -- commands and reads -----------------------------------------------------------

    def run(self, *command: str, seconds: float = PATIENCE) -> Outcome:
        """Run a command to its end."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)

    def e2d(self, *arguments: str) -> Outcome:
        """Run a command of e2d's own, told of the configuration."""
        return self.run(*E2D, *arguments, "-c", str(self.config))

    def get(self, path: str) -> tuple[int, str]:
        """Read from the API; status 0 while nobody listens there."""
        return get(self.api, path)

    def status(self) -> dict[str, Any]:
        """The API's ``/status``."""
        code, body = self.get("/status")
        assert code == http.HTTPStatus.OK, (code, body)
        document = json.loads(body)
        assert isinstance(document, dict)
        return document

    def wait_status(
        self,
        what: str,
        condition: Callable[[dict[str, Any]], object],
        seconds: float = PATIENCE,
    ) -> dict[str, Any]:
        """Until the status is as the condition wants it; that status."""

        def matches() -> dict[str, Any] | None:
            assert self.alive, f"e2d ended: {self.log()[-LOG_TAIL:]}"
            code, body = self.get("/status")
            if code != http.HTTPStatus.OK:
                return None
            status: dict[str, Any] = json.loads(body)
            return status if condition(status) else None

        return until(what, matches, seconds)

    # -- the end ------------------------------------------------------------------

    def remains(self) -> list[int]:
        """What of this node still runs."""
        own = [self.running.pid] if self.alive else []
        return own + self.etcds()

    def tell(self) -> str:
        """The ends of all logs, for whoever looks at a failed test."""
        logs = [*sorted(self.root.glob("*.log")), *self.data.glob("e2d/etcd.log")]
        tails = [f"--- {each}\n{_tail(each)}" for each in logs]
        return "\n".join(tails)

    def close(self) -> None:
        """End whatever runs, and leave nothing on disk."""
        if self.alive:
            self.kill()
        self.kill_etcd()
        shutil.rmtree(self.root, ignore_errors=True)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-LOG_TAIL:]


class DaemonTestCase(TestCase):
    """
    Makes daemons, and leaves none behind.

    A test that fails prints what e2d and etcd wrote.
    """

    def daemon(self, etcd: EtcdLine, **keys: Any) -> Daemon:  # noqa: ANN401 - YAML
        """A node that was not started yet."""
        daemon = Daemon(etcd, **keys)
        self.addCleanup(self._end, daemon)
        return daemon

    def serving(self, etcd: EtcdLine, **keys: Any) -> Daemon:  # noqa: ANN401 - YAML
        """A node that serves."""
        daemon = self.daemon(etcd, **keys)
        daemon.serve()
        return daemon

    def _end(self, daemon: Daemon) -> None:
        if not self._passed:
            print(f"\n{self.id()}\n{daemon.tell()}", flush=True)  # noqa: T201
        daemon.close()
