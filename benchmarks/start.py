"""
How much later a client is served when e2d starts etcd, than by etcd started by hand.

From the exec of ``e2d run`` (interpreter start included) to the first successful put,
on an empty directory, beside etcd itself with the very flags that e2d gave it; the two
take turns. Aim: bare etcd plus one second or less.

``python benchmarks/start.py [ROUNDS]``. The last line is JSON.
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
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

__all__ = ["PORTS", "configuration", "first_put", "remains", "scratch", "started"]

ROUNDS = 10
AIM_SECONDS = 1.0
PATIENCE = 60.0
POLL = 0.002
PORTS = (27801, 27802, 27803)
"""Of clients, of peers, of e2d's API."""

PUT = json.dumps({"key": "YQ==", "value": "MQ=="})


def configuration(directory: Path) -> Path:
    """The file for an e2d that has nothing but a directory and ports of its own."""
    if shutil.which("etcd") is None:
        raise SystemExit("there is no etcd on PATH: make bench finds one")
    client, peer, api = PORTS
    path = directory / "e2d.yaml"
    path.write_text(
        "apiVersion: e2d.crit.sh/v1beta1\n"
        f"dataDir: {directory}/data\n"
        f"clientAddr: 127.0.0.1:{client}\n"
        f"peerAddr: 127.0.0.1:{peer}\n"
        f"api: {{addr: '127.0.0.1:{api}'}}\n"
    )
    return path


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty directory; whatever runs in it at the end is killed."""
    directory = Path(tempfile.mkdtemp(prefix="e2d-bench-"))
    try:
        yield directory
    finally:
        for pid in remains(directory):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)


def remains(directory: Path) -> list[int]:
    """The processes whose command line names a directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(directory).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def command_line(pid: int) -> list[str]:
    """What a process was started with."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]


@contextlib.contextmanager
def started(
    command: Sequence[str], directory: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is told to end, and waited for, at the end."""
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def put() -> bool:
    """One attempt to write a key, through etcd's JSON gateway."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[0], timeout=5)
    try:
        connection.request("POST", "/v3/kv/put", PUT)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def first_put(began: float) -> float:
    """
    Try until a put succeeds.

    :return: seconds since ``began``.
    """
    while not put():
        if time.perf_counter() - began > PATIENCE:
            raise SystemExit(f"no put succeeded within {PATIENCE:.0f} s")
        time.sleep(POLL)
    return time.perf_counter() - began


def measure_e2d() -> tuple[float, list[str]]:
    """
    Start e2d on an empty directory.

    :return: seconds until the first put, and the command line of its etcd, in which
        the directory is ``{}``.
    """
    with scratch() as directory:
        config = configuration(directory)
        began = time.perf_counter()
        command = [sys.executable, "-m", "e2d", "run", "-c", str(config)]
        with started(command, directory):
            seconds = first_put(began)
            (etcd,) = (
                words
                for words in map(command_line, remains(directory / "data"))
                if any(word.startswith("--data-dir") for word in words)
            )
    return seconds, [word.replace(str(directory), "{}") for word in etcd]


def measure_bare(command: Sequence[str]) -> float:
    """Start etcd by hand, on an empty directory: seconds until the first put."""
    with scratch() as directory:
        words = [word.replace("{}", str(directory)) for word in command]
        began = time.perf_counter()
        with started(words, directory):
            return first_put(began)


def main() -> None:
    """Measure, and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    _, command = measure_e2d()  # once before it counts: nothing is cold then
    print(f"{Path(command[0])}: {rounds} starts each, taking turns")
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(measure_bare(command))
        ours.append(measure_e2d()[0])
    extra = median(ours) - median(bare)
    print(f"bare etcd: median {median(bare):.3f} s ({_spread(bare)})")
    print(f"e2d run:   median {median(ours):.3f} s ({_spread(ours)})")
    print(f"e2d adds {extra:.3f} s, {median(ours) / median(bare):.2f} times bare etcd")
    print(f"aim: {AIM_SECONDS:.1f} s or less: {_verdict(extra <= AIM_SECONDS)}")
    result = {
        "benchmark": "start",
        "bare_seconds": round(median(bare), 3),
        "e2d_seconds": round(median(ours), 3),
        "extra_seconds": round(extra, 3),
        "ratio": round(median(ours) / median(bare), 2),
        "aim_met": extra <= AIM_SECONDS,
    }
    print(json.dumps(result))


def _spread(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.3f} to {max(seconds):.3f}"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
