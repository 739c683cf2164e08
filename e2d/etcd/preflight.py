"""
What would keep etcd from starting, found out before it is started. Blocks.

etcd's own words come late or not at all: with a locked database it waits in silence for
ever, and while it fails to listen, whoever has the port answers in its stead and looks
like an etcd that is ready.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from e2d.etcd.processes import Processes, RunningProcess
from e2d.model import Address, ChildProblem, ProblemKind

__all__ = ["data_in_use", "obstacle"]


def obstacle(
    data_dir: str, listens: Iterable[Address], processes: Processes
) -> ChildProblem | None:
    """
    The first thing in the way of a start, None if nothing is seen to be.

    :param data_dir: etcd's data directory.
    :param listens: where it would listen.
    """
    user = processes.user_of_data_dir(data_dir)
    if user is not None:
        return data_in_use(data_dir, user)
    for address in listens:
        problem = _bind_problem(address, processes)
        if problem is not None:
            return problem
    return None


def data_in_use(data_dir: str, user: RunningProcess) -> ChildProblem:
    """The problem of data that somebody else has open."""
    way = f"stop it: kill {user.pid}" if user.pid else f"find it: fuser -v {data_dir}"
    return ChildProblem(
        kind=ProblemKind.DATA_LOCKED,
        message=f"{data_dir} is in use by {user}, which this e2d did not start",
        remedy=f"{way}; or name another dataDir",
    )


def _bind_problem(address: Address, processes: Processes) -> ChildProblem | None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Go does: an address in TIME_WAIT is free, one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except socket.gaierror:
            return None  # a name: etcd resolves it, or says why not
        except OSError as error:
            return _explain(error, address, processes)
    return None


def _explain(
    error: OSError, address: Address, processes: Processes
) -> ChildProblem | None:
    if error.errno == errno.EADDRINUSE:
        listener = processes.listener_on(address.port)
        by = f" by {listener}" if listener else ""
        return ChildProblem(
            kind=ProblemKind.PORT_IN_USE,
            message=f"etcd can't listen on {address}: the port is in use{by}",
            remedy=f"end what listens there (ss -ltnp sport = :{address.port}), or "
            "choose another clientAddr, peerAddr or metrics.addr",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ChildProblem(
            kind=ProblemKind.ADDRESS_UNAVAILABLE,
            message=f"etcd can't listen on {address}: this host has no such address",
            remedy="correct clientAddr, peerAddr or metrics.addr, or configure the "
            "address",
        )
    if error.errno == errno.EACCES:
        return ChildProblem(
            kind=ProblemKind.PERMISSION_DENIED,
            message=f"etcd may not listen on {address}",
            remedy="choose a port above 1023, or give e2d CAP_NET_BIND_SERVICE",
        )
    return None  # nothing we understand: etcd will say
