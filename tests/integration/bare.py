"""A bare etcd on a data directory, started as e2d starts it but by hand."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path

from attrs import define, field

ROOT = Path(__file__).parents[2]
READY_SECONDS = 30.0


def binary(line: str, name: str) -> Path:
    """
    A program of etcd's.

    :param line: the release line, ``3.4``.
    """
    return ROOT / "build" / "etcd" / line / "usr" / "bin" / name


@define(eq=False)
class BareEtcd:
    """
    One etcd without TLS.

    :param line: its release line, ``3.4``.
    :param port: of its client API; that of its peer API is the next.
    :param log: where it writes.
    """

    line: str
    data_directory: Path
    port: int
    log: Path
    name: str = "n1"
    token: str = "f1"
    state: str = "new"
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Execute it."""
        client = f"http://127.0.0.1:{self.port}"
        peer = f"http://127.0.0.1:{self.port + 1}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    binary(self.line, "etcd"),
                    f"--name={self.name}",
                    f"--data-dir={self.data_directory}",
                    f"--listen-client-urls={client}",
                    f"--advertise-client-urls={client}",
                    f"--listen-peer-urls={peer}",
                    f"--initial-advertise-peer-urls={peer}",
                    f"--initial-cluster={self.name}={peer}",
                    f"--initial-cluster-token={self.token}",
                    f"--initial-cluster-state={self.state}",
                ],
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        """Return when it answers that it is healthy; fail if it does not."""
        deadline = time.monotonic() + READY_SECONDS  # noqa: TID251 - a real process
        while not self._healthy():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            late = time.monotonic() > deadline  # noqa: TID251 - a real process
            assert not late, self.log.read_text()
            time.sleep(0.05)

    def _healthy(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/health"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(json.load(answer)["health"] == "true")
        except (OSError, ValueError):
            return False

    def ctl(self, *arguments: str) -> str:
        """What etcdctl says."""
        return subprocess.run(
            [
                binary(self.line, "etcdctl"),
                f"--endpoints=127.0.0.1:{self.port}",
                *arguments,
            ],
            env={"ETCDCTL_API": "3"},
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        ).stdout

    def kill(self) -> None:
        """End it, whatever it does. Idempotent."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
