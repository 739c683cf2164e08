"""
The stable codes of every reason to wait or to halt.

A code is the same in logs, status, metrics and documentation, where each has a page
of its own (``docs/runbook``). Codes are never re-used for another reason.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Code"]


class Code(Enum):
    """W: time or another party may end it. H: a person has to."""

    STARTING = "E2D-W01"
    """etcd runs and does not serve yet."""

    STOPPING = "E2D-W02"
    """etcd was told to stop."""

    BACKING_OFF = "E2D-W03"
    """etcd ended; the next start comes after a pause."""

    NOT_ANSWERING = "E2D-W04"
    """etcd runs and its health checks fail."""

    NO_QUORUM = "E2D-W05"
    """This member answers, a majority of the voters does not."""

    NOT_MOUNTED = "E2D-W06"
    """The data directory is empty although this host held a member."""

    PAUSED = "E2D-W07"
    """A person paused e2d, and the next step is one that a pause forbids."""

    DATA_NOT_READ = "E2D-W08"
    """The data directory has not been examined yet."""

    STEP_FAILED = "E2D-W09"
    """What was decided could not be done; it is tried again."""

    TURN_ABANDONED = "E2D-W10"
    """A turn of the loop broke on a defect of e2d; the next one is taken."""

    DENIED = "E2D-W11"
    """etcd serves, and does not allow e2d to ask."""

    NO_SPACE = "E2D-W12"
    """etcd takes no writes: its database has reached its quota."""

    LEARNER = "E2D-W13"
    """This member has no vote yet, and serves nobody until it has one."""

    LISTENING = "E2D-W14"
    """Others may hold this cluster, and not all of them were heard yet."""

    OTHERS = "E2D-W15"
    """Other nodes of this cluster are in the ring."""

    NAME_TAKEN = "E2D-W16"
    """Another node in the ring has this node's name."""

    ORIGINALS = "E2D-W17"
    """Nodes of the original e2d are in the ring, or may be."""

    GAVE_UP = "E2D-H01"
    """etcd ended so often in a row that a person should look."""

    UNREADABLE = "E2D-H02"
    """There is data that cannot be understood."""

    LOST = "E2D-H03"
    """etcd once ran in this directory and its data is gone."""

    STILL_NOT_MOUNTED = "E2D-H04"
    """Ten minutes later the data is still missing."""

    SIZE_NOT_SUPPORTED = "E2D-H05"
    """This version founds clusters of one node only."""

    MUST_LISTEN_FIRST = "E2D-H06"
    """Discovery is configured in a way that this version cannot ask."""

    STORE_NOT_ASKED = "E2D-H07"
    """A snapshot store is configured and this version cannot ask it."""

    SNAPSHOT_REQUIRED = "E2D-H09"
    """``recovery.requireSnapshot`` is set: an empty cluster is never founded."""

    VANISHED = "E2D-H10"
    """etcd runs on a data directory that is no longer there."""

    ELSEWHERE = "E2D-H12"
    """etcd was found running where an earlier configuration had its clients."""

    MEMBER_REMOVED = "E2D-H08"
    """This member was removed from its cluster for good."""

    CORRUPT = "E2D-H11"
    """etcd takes no writes: the data of its members differs."""
