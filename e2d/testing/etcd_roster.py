"""One replica's membership, etcd's rules for changing it, and what lines differ in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from attrs import define, evolve, field, frozen

from e2d.interfaces import EtcdRefused
from e2d.model import EtcdMember, EtcdRole, EtcdVersion, MemberID

__all__ = ["RULES", "Roster", "Rules", "member_id_of"]


@frozen(kw_only=True)
class Rules:
    """
    What differs between release lines of etcd.

    :param frozen_peer_looks_alive: for so many seconds a stopped process still counts
        as connected for member changes (F7).
    :param hashes_at_compaction: whether a hash at the compacted revision is given;
        it is then the one that the compaction took, over the compaction before.
    """

    version: EtcdVersion
    max_learners: int = 1
    frozen_peer_looks_alive: float = 40.0
    hashes_at_compaction: bool = True


RULES = {
    (3, 4): Rules(
        version=EtcdVersion(3, 4, 23),
        frozen_peer_looks_alive=0.0,
        hashes_at_compaction=False,
    ),
    (3, 5): Rules(version=EtcdVersion(3, 5, 16)),
    (3, 6): Rules(version=EtcdVersion(3, 6, 14)),
    (3, 7): Rules(version=EtcdVersion(3, 7, 1)),
}
"""By release line."""


def member_id_of(peer_urls: Sequence[str], token: str, seconds: int | None) -> MemberID:
    """
    The id that etcd gives a member.

    :param seconds: when it is added at run time; None for a founding member.
    """
    text = "".join(sorted(peer_urls)) + token
    if seconds is not None:
        text += str(seconds)
    return MemberID(int.from_bytes(hashlib.sha1(text.encode()).digest()[:8]))  # noqa: S324 - as etcd does


@define(eq=False)
class Roster:
    """Who is a member, and who must never be again."""

    _rules: Rules
    _members: dict[MemberID, EtcdMember] = field(factory=dict, init=False)
    _removed: set[MemberID] = field(factory=set, init=False)

    def members(self) -> tuple[EtcdMember, ...]:
        """In the order of ids, as etcd lists them."""
        return tuple(self._members[known] for known in sorted(self._members))

    def voters(self) -> tuple[EtcdMember, ...]:
        """Those that count for quorum, started or not."""
        return tuple(m for m in self.members() if m.role is EtcdRole.VOTER)

    def find(self, member_id: MemberID) -> EtcdMember | None:
        """A member, if it is one."""
        return self._members.get(member_id)

    # -- what is looked at before a change is proposed --------------------------

    def check_add_voter(self) -> None:
        """Enough members must have started for the quorum after it."""
        voters = self.voters()
        started = sum(member.started for member in voters)
        growing_from_one = started == 1 and len(voters) == 1
        if not growing_from_one and started < (len(voters) + 1) // 2 + 1:
            raise _not_enough()

    def check_remove_voter(self, member_id: MemberID) -> None:
        """Enough members must have started for the quorum after it."""
        others = [m for m in self.voters() if m.member_id != member_id]
        if sum(member.started for member in others) < len(others) // 2 + 1:
            raise _not_enough()

    def check_promote(self) -> None:
        """Enough members must have started, the learner counted as one that has."""
        voters = self.voters()
        started = sum(member.started for member in voters) + 1
        if started < (len(voters) + 1) // 2 + 1:
            raise _not_enough()

    # -- entries of the log -----------------------------------------------------

    def add(self, member: EtcdMember) -> EtcdMember:
        """Add a member."""
        if member.member_id in self._removed:
            raise _not_found()
        if member.member_id in self._members:
            raise _refusal("FAILED_PRECONDITION", "member ID already exist")
        self._check_urls(member.peer_urls, None)
        learners = len(self._members) - len(self.voters())
        if member.role is EtcdRole.LEARNER and learners >= self._rules.max_learners:
            raise _refusal("FAILED_PRECONDITION", "too many learner members in cluster")
        self._members[member.member_id] = member
        return member

    def promote(self, member_id: MemberID) -> None:
        """Make a learner vote."""
        member = self._known(member_id)
        if member.role is not EtcdRole.LEARNER:
            raise _refusal("FAILED_PRECONDITION", "can only promote a learner member")
        self._members[member_id] = evolve(member, role=EtcdRole.VOTER)

    def update(self, member_id: MemberID, peer_urls: Sequence[str]) -> None:
        """Change where a member is."""
        member = self._known(member_id)
        self._check_urls(peer_urls, member_id)
        self._members[member_id] = evolve(member, peer_urls=tuple(peer_urls))

    def remove(self, member_id: MemberID) -> None:
        """Remove a member for good."""
        self._known(member_id)
        del self._members[member_id]
        self._removed.add(member_id)

    def publish(
        self, member_id: MemberID, name: str, client_urls: Sequence[str]
    ) -> None:
        """A member that started says its name."""
        member = self._members.get(member_id)
        if member is not None:
            urls = tuple(client_urls)
            self._members[member_id] = evolve(member, name=name, client_urls=urls)

    def _known(self, member_id: MemberID) -> EtcdMember:
        member = self._members.get(member_id)
        if member is None:
            raise _not_found()
        return member

    def _check_urls(self, peer_urls: Sequence[str], of: MemberID | None) -> None:
        taken = {
            url
            for member in self._members.values()
            if member.member_id != of
            for url in member.peer_urls
        }
        if taken.intersection(peer_urls):
            raise _refusal("FAILED_PRECONDITION", "Peer URLs already exists")


def _not_found() -> EtcdRefused:
    return _refusal("NOT_FOUND", "member not found")


def _not_enough() -> EtcdRefused:
    # etcd forgets to classify this one, in every line.
    words = "re-configuration failed due to not enough started members"
    return _refusal("UNKNOWN", words)


def _refusal(code: str, words: str) -> EtcdRefused:
    return EtcdRefused(code, f"etcdserver: {words}")
