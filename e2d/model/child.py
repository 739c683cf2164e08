"""The etcd process of this node: its states, and what may be wrong with it."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

__all__ = [
    "Absent",
    "ChildFailed",
    "ChildProblem",
    "ChildState",
    "Elsewhere",
    "ProblemKind",
    "Serving",
    "Starting",
    "Stopping",
]


class ProblemKind(Enum):
    """Why etcd is not running, as far as it can be recognised."""

    PORT_IN_USE = "port-in-use"
    ADDRESS_UNAVAILABLE = "address-unavailable"
    DATA_LOCKED = "data-locked"
    PERMISSION_DENIED = "permission-denied"
    DISK_FULL = "disk-full"
    DISK_FAILED = "disk-failed"
    DATA_CORRUPT = "data-corrupt"
    DATA_TOO_NEW = "data-too-new"
    MEMBER_REMOVED = "member-removed"
    CLUSTER_MISMATCH = "cluster-mismatch"
    CERTIFICATE = "certificate"
    BAD_FLAG = "bad-flag"
    BINARY_MISSING = "binary-missing"
    VERSION_REFUSED = "version-refused"
    NOT_READY = "not-ready"
    KILLED = "killed"
    EXITED = "exited"


@frozen(kw_only=True)
class ChildProblem:
    """
    One reason for which etcd does not run.

    :param message: one line: what happened, with the value that matters.
    :param remedy: one line: what a person can do.
    """

    kind: ProblemKind
    message: str
    remedy: str


@frozen
class Absent:
    """No etcd of ours runs, and none was asked for."""


@frozen(kw_only=True)
class Elsewhere:
    """
    Where an etcd that was found running is, as its arguments say it.

    :param client_url: where it serves clients; None: where they are configured now.
    :param peer_url: where it serves peers; None: where they are configured now.
    """

    client_url: str | None
    peer_url: str | None


@frozen(kw_only=True)
class Starting:
    """
    etcd runs but does not serve yet.

    :param since: when, in seconds of the reactor's clock.
    :param adopted: it was found running, left behind by an earlier e2d.
    :param elsewhere: None: where it is configured to be now, as far as is known.
    """

    pid: int
    since: float
    adopted: bool = False
    elsewhere: Elsewhere | None = None


@frozen(kw_only=True)
class Serving:
    """
    etcd runs and has answered.

    :param since: when it first answered, in seconds of the reactor's clock.
    :param elsewhere: as of `Starting`.
    :param answering: False while it runs but its health checks fail.
    """

    pid: int
    since: float
    adopted: bool = False
    elsewhere: Elsewhere | None = None
    answering: bool = True


@frozen(kw_only=True)
class Stopping:
    """
    etcd was told to end and has not ended yet.

    :param since: when it was told, in seconds of the reactor's clock.
    """

    pid: int
    since: float


@frozen(kw_only=True)
class ChildFailed:
    """
    etcd ended, or could not be started, without being asked to.

    :param times: how often in a row, without having served for a while between.
    :param retry_at: not before this moment (reactor's clock) is a start worth trying.
    :param gave_up: so often that a person should look; it is still tried, rarely.
    """

    times: int
    problem: ChildProblem
    retry_at: float
    gave_up: bool


ChildState = Absent | Starting | Serving | Stopping | ChildFailed
