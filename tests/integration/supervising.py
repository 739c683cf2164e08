"""
A process that supervises an etcd and can be killed: a stand-in for e2d.

``python -m tests.integration.supervising BINARY DIRECTORY PORT``: adopts or starts etcd
and prints ``serving PID``.
"""

from __future__ import annotations

import sys

from twisted.internet import reactor  # noqa: TID251 - a process of its own
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from e2d.model import Serving
from tests.integration.supervised import Node


async def _supervise(binary: str, directory: str, port: str) -> None:
    node = Node(reactor, binary, directory, int(port))
    supervisor = node.supervisor()
    if not await supervisor.adopt():
        await supervisor.start(node.start())
    state = await node.until(supervisor, Serving)
    sys.stdout.write(f"serving {state.pid} {state.adopted}\n")
    sys.stdout.flush()
    await Deferred()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(_supervise(*sys.argv[1:])))
