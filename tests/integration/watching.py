"""Looking at processes and ports from outside, and waiting until they are as wanted."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = ["PATIENCE", "arguments_of", "get", "is_running", "until"]

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds: the longest that anything is waited for, on a machine that is busy."""

POLL = 0.02


def until(what: str, condition: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """
    Wait until a condition is true.

    :param what: what is waited for, should it not come.
    :return: the first answer of ``condition`` that is true.
    """
    deadline = time.perf_counter() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.perf_counter() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(POLL)


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended: a zombie has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b") ")[2][:1] not in {b"Z", b"X"}


def arguments_of(pid: int) -> list[str]:
    """The command line of a process, empty when there is none to see."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").split("\0")[:-1]


def get(port: int, path: str) -> tuple[int, str]:
    """GET from a port of loopback; status 0 while nobody listens there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
