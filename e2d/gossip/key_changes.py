"""
Changes of keys across the ring: `IRingKeys`, and the answers to other nodes' questions.

Note [No packet is lost]
    Each step is asked of every node that the ring holds alive or suspects, until each
    has answered, and the next begins only then: all accept a key before the first seals
    with it, and none seals with a key any more before the first drops it. Who joined
    meanwhile is asked, too, and refuses, for it is not locked: then the command ends,
    and is said again. Each command locks all nodes before it looks at what they have,
    so that nothing of another comes in between, not even late.

    Who is dead is not waited for: when it comes back with the key of before it is
    heard, for ``gossip.keyGrace``, and hears nobody; its log says that it lacks a key,
    and a person gives it the new one (B12).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, evolve, field

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from e2d.gossip.errors import PayloadError
from e2d.gossip.held_keys import KeyRefused
from e2d.gossip.key_holder import KeyHolder
from e2d.gossip.key_letters import (
    ID_BYTES,
    KeyAnswer,
    KeyRequest,
    Wish,
    pack_letter,
    read_letter,
)
from e2d.interfaces import IMembership, IRingKeys, KeyChangeRefused, Undelivered
from e2d.model import (
    GossipMember,
    KeyName,
    KeySurvey,
    NodeDigest,
    NodeKeys,
    NodeName,
    Rank,
    name_key,
)
from e2d.services import Repeater

__all__ = ["KeyChanges"]

_T = TypeVar("_T")

ANSWER_SECONDS = 5.0
"""To write to a disk, twice if it is slow; a connection has its own time besides."""

ROUNDS = 3
"""So often is who did not answer asked, and who joined meanwhile."""

EXPIRY_SECONDS = 60.0
"""Between two looks whether a key has retired: its grace is days."""

_PRESENT = frozenset({Rank.ALIVE, Rank.SUSPECT})


@implementer(IRingKeys)
@define(eq=False, kw_only=True)
class KeyChanges(Service):
    """
    Asks all, and answers each.

    :param holder: the keys of this node.
    :param nonce: gives so many random bytes.
    """

    _clock: IReactorTime
    _membership: IMembership
    _holder: KeyHolder
    _nonce: Callable[[int], bytes]
    _log: Logger
    _asked: dict[bytes, Deferred[KeyAnswer]] = field(factory=dict, init=False)
    _busy: bool = field(default=False, init=False)
    _expiry: Repeater = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._expiry = Repeater(clock=self._clock, turn=self._expire, log=self._log)
        self._membership.receive_letters(self._received)

    def startService(self) -> None:
        """Drop keys when they have retired."""
        super().startService()
        self._expiry.start()

    def stopService(self) -> Deferred[None]:
        """Fires when nothing is under way."""
        super().stopService()
        return self._expiry.stop()

    # -- IRingKeys ----------------------------------------------------------------

    async def survey(self) -> KeySurvey:
        """See `IRingKeys.survey`."""
        return await self._ask_all(KeyRequest(wish=Wish.TELL))

    async def add(self, key: bytes, by: str) -> KeyName:
        """See `IRingKeys.add`."""
        name = name_key(key)
        self._say("accept the key {key}", name, by)
        await self._alone(lambda owner: self._add(owner, key))
        return name

    async def use(self, name: KeyName, by: str) -> None:
        """See `IRingKeys.use`."""
        self._say("use the key {key}", name, by)
        await self._alone(lambda owner: self._use(owner, name))

    async def remove(self, name: KeyName, by: str) -> None:
        """See `IRingKeys.remove`."""
        self._say("accept the key {key} no longer", name, by)
        await self._alone(lambda owner: self._remove(owner, name))

    async def rotate(self, key: bytes, by: str) -> KeyName:
        """See `IRingKeys.rotate`."""
        name = name_key(key)
        self._say("change to the key {key}", name, by)

        async def both(owner: bytes) -> None:
            await self._add(owner, key)
            await self._use(owner, name)

        await self._alone(both)
        return name

    async def abort(self, by: str) -> KeyName:
        """See `IRingKeys.abort`."""
        self._log.info("{by} asks the ring to go back to the key of before", by=by)
        return await self._alone(self._abort)

    # -- steps, see Note [No packet is lost] ----------------------------------------

    async def _add(self, owner: bytes, key: bytes) -> None:
        own = self._own()
        if name_key(key) == own.primary:
            raise KeyChangeRefused(f"the key {own.primary} is in use already")
        old = own.primary if own.change is None else own.change.old
        await self._complete(
            KeyRequest(wish=Wish.ADD, owner=owner, name=name_key(key), key=key, old=old)
        )

    async def _use(self, owner: bytes, name: KeyName) -> None:
        survey = await self._complete(KeyRequest(wish=Wish.LOCK, owner=owner))
        lacking = survey.lacking(name)
        if lacking:
            raise KeyChangeRefused(
                f"the key {name} is not accepted by {', '.join(lacking)}: add it first"
            )
        await self._everywhere(owner, Wish.USE, name)
        await self._everywhere(owner, Wish.SETTLE, name)

    async def _remove(self, owner: bytes, name: KeyName) -> None:
        survey = await self._complete(KeyRequest(wish=Wish.LOCK, owner=owner))
        using = survey.using(name)
        if using:
            raise KeyChangeRefused(
                f"the key {name} is in use by {', '.join(using)}: use another one first"
            )
        await self._everywhere(owner, Wish.REMOVE, name)

    async def _abort(self, owner: bytes) -> KeyName:
        survey = await self._complete(KeyRequest(wish=Wish.LOCK, owner=owner))
        changes = {
            keys.change for keys in survey.answers.values() if keys and keys.change
        }
        if len(changes) != 1:
            raise KeyChangeRefused(
                "no change of keys is under way"
                if not changes
                else "several changes are under way: use one of their keys first"
            )
        (change,) = changes
        lacking = survey.lacking(change.old)
        if lacking:
            raise KeyChangeRefused(
                f"the key {change.old} of before is not accepted by"
                f" {', '.join(lacking)}: use {change.new}, or another one"
            )
        await self._everywhere(owner, Wish.USE, change.old)
        await self._everywhere(owner, Wish.REMOVE, change.new)
        return change.old

    async def _everywhere(self, owner: bytes, wish: Wish, name: KeyName) -> None:
        await self._complete(KeyRequest(wish=wish, owner=owner, name=name))

    async def _alone(self, change: Callable[[bytes], Coroutine[Any, Any, _T]]) -> _T:
        """With a lock on all nodes, which is given back whatever happens."""
        if self._busy:
            raise KeyChangeRefused("another command is under way here: wait for it")
        self._busy = True
        owner = self._nonce(ID_BYTES)
        try:
            await self._complete(KeyRequest(wish=Wish.LOCK, owner=owner))
            return await change(owner)
        finally:
            await self._unlock(KeyRequest(wish=Wish.UNLOCK, owner=owner))
            self._busy = False

    async def _unlock(self, request: KeyRequest) -> None:
        """Who does not hear it, or has another lock, needs no more than to be asked."""
        try:
            nodes = self._present()
        except KeyChangeRefused:
            return
        await gatherResults(
            [Deferred.fromCoroutine(self._ask(each, request)) for each in nodes]
        )

    async def _complete(self, request: KeyRequest) -> KeySurvey:
        survey = await self._ask_all(request)
        if survey.silent:
            raise KeyChangeRefused(
                f"no answer from {', '.join(survey.silent)}: say it again when they are"
                " there, or dead to the ring (e2d gossip members)"
            )
        return survey

    async def _ask_all(self, request: KeyRequest) -> KeySurvey:
        """Ask in rounds, until all that are there have answered."""
        self._own()
        answers: dict[NodeName, NodeKeys | None] = {}
        for _round in range(ROUNDS):
            answers = {each: answers.get(each) for each in self._present()}
            missing = [each for each, keys in answers.items() if keys is None]
            if not missing:
                break
            answers.update(await self._ask_some(missing, request))
        return KeySurvey(answers=answers)

    async def _ask_some(
        self, nodes: Sequence[NodeName], request: KeyRequest
    ) -> Mapping[NodeName, NodeKeys | None]:
        """All at once."""
        told = await gatherResults(
            [Deferred.fromCoroutine(self._ask(each, request)) for each in nodes]
        )
        answers = dict(zip(nodes, told, strict=True))
        refusals = [
            f"{node}: {answer}"
            for node, answer in answers.items()
            if isinstance(answer, str)
        ]
        if refusals:
            raise KeyChangeRefused("; ".join(refusals))
        return {
            node: answer
            for node, answer in answers.items()
            if not isinstance(answer, str)
        }

    async def _ask(self, node: NodeName, request: KeyRequest) -> NodeKeys | str | None:
        """One node, this one too: what it has then, or why it refuses."""
        if node == self._membership.view().local:
            try:
                return await self._holder.carry_out(request)
            except KeyRefused as error:
                return error.reason
        request = evolve(request, request_id=self._nonce(ID_BYTES))
        answer: Deferred[KeyAnswer] = Deferred()
        self._asked[request.request_id] = answer
        try:
            await self._membership.deliver(node, pack_letter(request))
            answer.addTimeout(ANSWER_SECONDS, self._clock)  # type: ignore[unused-awaitable]
            told = await answer
        except (Undelivered, defer.TimeoutError):
            return None
        finally:
            self._asked.pop(request.request_id, None)
        return told.refusal or told.keys

    # -- who is there -----------------------------------------------------------------

    def _own(self) -> NodeKeys:
        own = self._holder.keys
        if self._membership.view().members is None:
            raise KeyChangeRefused("this node takes part in no gossip ring")
        if own is None:
            raise KeyChangeRefused(
                "gossip is not sealed in this ring: give gossip.keys, or a caKey, on"
                " all nodes first"
            )
        return own

    def _present(self) -> list[NodeName]:
        """
        All that have to answer.

        :raises KeyChangeRefused: somebody is there who cannot.
        """
        members = [
            each
            for each in self._membership.view().members or ()
            if each.rank in _PRESENT
        ]
        foreign = [each.name for each in members if not _can_answer(each)]
        if foreign:
            raise KeyChangeRefused(
                f"not nodes of this e2d: {', '.join(foreign)}; their keys are changed"
                " by other means, so those of the ring cannot be"
            )
        return [each.name for each in members]

    def _say(self, what: str, name: KeyName, by: str) -> None:
        self._log.info("{by} asks the ring to " + what, by=by, key=name)

    # -- letters -----------------------------------------------------------------------

    def _received(self, sender: NodeName | None, letter: bytes) -> None:
        try:
            read = read_letter(letter)
        except PayloadError as error:
            self._log.warn(
                "A letter of {sender} is {reason}",
                sender=sender or "a stranger",
                reason=error.reason,
            )
            return
        match read:
            case KeyAnswer():
                asked = self._asked.pop(read.request_id, None)
                if asked is not None and not asked.called:
                    asked.callback(read)
            case KeyRequest() if sender is not None:
                answering = Deferred.fromCoroutine(self._answer(sender, read))
                answering.addErrback(self._broke)  # type: ignore[unused-awaitable]
            case _:
                pass

    async def _answer(self, sender: NodeName, request: KeyRequest) -> None:
        own = self._holder.keys
        if own is None:
            return  # what is not sealed here is not spoken of
        refusal = ""
        try:
            own = await self._holder.carry_out(request)
        except KeyRefused as error:
            refusal = error.reason
        answer = KeyAnswer(request_id=request.request_id, refusal=refusal, keys=own)
        try:
            await self._membership.deliver(sender, pack_letter(answer))
        except Undelivered as error:
            self._log.info("{error}", error=str(error))  # it will ask again

    async def _expire(self) -> float:
        try:
            await self._holder.expire()
        except KeyRefused as error:
            self._log.error("{reason}", reason=error.reason)
        return EXPIRY_SECONDS

    def _broke(self, failure: Failure) -> None:
        self._log.failure("A question about keys was not answered", failure=failure)


def _can_answer(member: GossipMember) -> bool:
    return isinstance(member.digest, NodeDigest)
