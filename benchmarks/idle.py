"""
What e2d costs while it has nothing to do: memory and processor time, beside etcd's own.

After a minute on an empty directory, over a minute. Aim: 80 MB of resident memory and
0.5 % of one core for e2d itself.

``python benchmarks/idle.py [SECONDS]``. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

from attrs import frozen
from start import PORTS, configuration, first_put, remains, scratch, started

SECONDS = 60.0
AIM_MEGABYTES = 80.0
AIM_PERCENT = 0.5


@frozen(kw_only=True)
class Usage:
    """
    What a process has used so far.

    :param megabytes: resident now, 10^6 bytes each.
    :param seconds: of processor time, in user and system mode.
    """

    megabytes: float
    seconds: float


def usage(pid: int) -> Usage:
    """As ``/proc`` shows it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return Usage(
        megabytes=int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        seconds=ticks / os.sysconf("SC_CLK_TCK"),
    )


def scrape() -> None:
    """Ask the API for its metrics: what it loads at the first question is loaded."""
    url = f"http://127.0.0.1:{PORTS[2]}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        answer.read()


def main() -> None:
    """Measure, and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with scratch() as directory:
        config = configuration(directory)
        command = [sys.executable, "-m", "e2d", "run", "-c", str(config)]
        with started(command, directory) as e2d:
            first_put(time.perf_counter())
            scrape()
            (etcd,) = remains(directory / "data")
            time.sleep(seconds)
            before = [usage(pid) for pid in (e2d.pid, etcd)]
            time.sleep(seconds)
            after = [usage(pid) for pid in (e2d.pid, etcd)]
    report(before, after, seconds)


def report(before: list[Usage], after: list[Usage], seconds: float) -> None:
    """
    Print.

    :param before: of e2d and of etcd, and so is ``after``.
    :param seconds: between the two.
    """
    e2d, etcd = (each.megabytes for each in after)
    e2d_percent, etcd_percent = (
        100 * (new.seconds - old.seconds) / seconds
        for old, new in zip(before, after, strict=True)
    )
    met = e2d <= AIM_MEGABYTES and e2d_percent <= AIM_PERCENT
    print(f"idle for {seconds:.0f} s, after {seconds:.0f} s")
    print(f"e2d:  {e2d:6.1f} MB, {e2d_percent:.2f} % of one core")
    print(f"etcd: {etcd:6.1f} MB, {etcd_percent:.2f} % of one core")
    print(f"e2d is {e2d / etcd:.2f} times as large as its etcd")
    print(
        f"aim: {AIM_MEGABYTES:.0f} MB and {AIM_PERCENT} % for e2d:"
        f" {'met' if met else 'MISSED'}"
    )
    result = {
        "benchmark": "idle",
        "e2d_megabytes": round(e2d, 1),
        "etcd_megabytes": round(etcd, 1),
        "memory_ratio": round(e2d / etcd, 2),
        "e2d_cpu_percent": round(e2d_percent, 2),
        "etcd_cpu_percent": round(etcd_percent, 2),
        "aim_met": met,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
