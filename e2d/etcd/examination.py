"""
What a data directory is: the one place where "empty" is decided.

Note [What outranks what]: an intent to swap comes before anything, because it says
that what is seen is half of something. Then etcd's own log: a log with entries is data,
whatever e2d's records say or fail to say. Only where there is no such log do the
records decide, and one that cannot be read then is Unreadable, never absent.

Note [The mark]: before the first exec of etcd for a founding, e2d leaves a mark in
``member/`` and then records the founding as *started*. The mark goes when etcd was seen
to serve. So: started, marked and never written to is *unborn*; started without mark and
without log is *lost*, whatever took it away; and neither is ever *empty* again (A2).
The same holds for data that e2d did not found, once it was started here: the record of
the member that lives here is written before that start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from attrs import frozen

from e2d.etcd.breadcrumb import find_breadcrumb
from e2d.etcd.disk import explain
from e2d.etcd.forms import founding_from_record, required
from e2d.etcd.member import MemberFiles, read_member
from e2d.etcd.records import read_record
from e2d.etcd.swap import intended_swap
from e2d.etcd.wal import WalError, WalHead
from e2d.interfaces import DataDirectoryError
from e2d.model import (
    DataState,
    Empty,
    EtcdMember,
    Founding,
    Holds,
    Lost,
    Missing,
    NodeID,
    NodeName,
    Swapping,
    Unborn,
    Unreadable,
)

__all__ = [
    "FOUNDING",
    "MEMBER",
    "NODE",
    "Examination",
    "mark_of",
    "read_founding",
    "read_node",
]

FOUNDING = "founding"
"""The record of the founding."""

NODE = "node"
"""The record of the node id."""

MEMBER = "member"
"""The record of the member that lives here: etcd was, or is about to be, run as it."""

_WAY_OUT = "repair it, or move the data directory away to start without its data"

_NOTHING = MemberFiles(mark=None, log=None, members=(), started=False, foreign=None)


def mark_of(founding: Founding, node_id: NodeID) -> bytes:
    """What the mark of a founding on a node says."""
    mark = {"founding": founding.founding_id, "node": node_id}
    return json.dumps(mark, sort_keys=True).encode() + b"\n"


def read_founding(own: str) -> Founding | None:
    """
    The founding recorded in ``<dataDir>/e2d``. Blocks.

    :raises DataDirectoryError: the record cannot be read.
    """
    record = read_record(own, FOUNDING)
    if record is None:
        return None
    return founding_from_record(record, os.path.join(own, f"{FOUNDING}.json"))


def read_node(own: str) -> NodeID | None:
    """
    The node id recorded in ``<dataDir>/e2d``. Blocks.

    :raises DataDirectoryError: the record cannot be read.
    """
    record = read_record(own, NODE)
    if record is None:
        return None
    return NodeID(required(record, "id", str, os.path.join(own, f"{NODE}.json")))


@frozen(kw_only=True)
class Examination:
    """
    How to look at a directory. Read-only, never waiting.

    :param path: the data directory.
    :param state_directory: where breadcrumbs may be, besides beside mount points.
    :param peer_url: our own; None if it does not help to find our name.
    """

    path: str
    state_directory: str | None
    peer_url: str | None

    def examine(self, since: float) -> DataState:
        """
        What the directory is. Blocks, but waits for no one.

        :param since: for `Missing.since`.
        :return: Unreadable also when the disk says no.
        """
        member = os.path.join(self.path, "member")
        try:
            return self._decide(member, since)
        except DataDirectoryError as error:
            return Unreadable(reason=error.message)
        except OSError as error:
            return Unreadable(reason=explain(error, member, "look at it").message)
        except (WalError, ValueError) as error:
            why = f"{member}: cannot be understood: {error}; {_WAY_OUT}"
            return Unreadable(reason=why)

    def _decide(self, member: str, since: float) -> DataState:
        """See Note [What outranks what]."""
        intent = intended_swap(self.path)
        if intent is not None:
            return Swapping(intent=intent)
        files = read_member(member) or _NOTHING
        if files.log is not None and not files.log.unwritten:
            return self._holds(files.log, files.members or ())
        return self._without_entries(member, files, since)

    def _without_entries(
        self, member: str, files: MemberFiles, since: float
    ) -> DataState:
        own = os.path.join(self.path, "e2d")
        recorded = read_founding(own)
        founding = recorded if recorded is not None and recorded.started else None
        if files.log is not None and founding is None:
            # Not begun by our founding, so a joiner's: the leader will fill it.
            return self._holds(files.log, files.members or ())
        lived = read_record(own, MEMBER) is not None
        if founding is None and not lived:
            return self._never_started(member, files, since)
        if founding is not None and not lived and files.stillborn:
            node_id = read_node(own)
            if node_id is not None and files.mark == mark_of(founding, node_id):
                return Unborn(founding=founding)
        if files.stillborn and files.log is None:
            return Lost(founding=founding)
        return _not_understood(member, files)

    def _never_started(
        self, member: str, files: MemberFiles, since: float
    ) -> DataState:
        if files.started or files.foreign is not None:
            return _not_understood(member, files)
        found = find_breadcrumb(self.path, self.state_directory)
        if found is None:
            return Empty()
        path, breadcrumb = found
        return Missing(
            breadcrumb=path,
            name=breadcrumb.name if breadcrumb else None,
            member_id=breadcrumb.member_id if breadcrumb else None,
            cluster_id=breadcrumb.cluster_id if breadcrumb else None,
            since=since,
        )

    def _holds(self, log: WalHead, members: Sequence[EtcdMember]) -> Holds:
        return Holds(
            member_id=log.member_id,
            cluster_id=log.cluster_id,
            name=self._name(log, members),
            members=tuple(members),
        )

    def _name(self, log: WalHead, members: Sequence[EtcdMember]) -> NodeName | None:
        """By member id; else by peer URL, as the original did."""
        by_id = [member for member in members if member.member_id == log.member_id]
        by_url = [member for member in members if self.peer_url in member.peer_urls]
        for member in (*by_id, *by_url):
            if member.name:
                return NodeName(member.name)
        return None


def _not_understood(member: str, files: MemberFiles) -> Unreadable:
    """Something is there, and not what it takes to start from it, nor to start anew."""
    log = "no log" if files.log is None else "a log without a single entry"
    if files.foreign is not None:
        what = f"it holds {files.foreign} but {log}"
    elif files.members is None:
        what = f"there is {log}, and the database is damaged or in use"
    elif files.members:
        what = f"there is a database of a member but {log}"
    elif files.log is not None:
        what = "there is a log without a single entry: etcd would wait for ever"
    else:
        what = "a start of etcd was cut short there that e2d did not make"
    return Unreadable(reason=f"{member}: {what}; {_WAY_OUT}")
