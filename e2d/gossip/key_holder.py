"""The keys of this node: in use, and on disk in ``<dataDir>/e2d/keyring.json``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import define, field

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from e2d.files import (
    RunInPool,
    explain_error,
    make_directory,
    read_file,
    sync_directory,
    write_file,
)
from e2d.gossip.held_keys import (
    HeldKeys,
    KeyRefused,
    NotKeys,
    fresh_keys,
    kept_keys,
)
from e2d.gossip.key_letters import KeyRequest, Wish
from e2d.model import NodeKeys, name_key
from e2d.swim.sealing import Keyring

__all__ = ["KeyHolder"]

FILE_NAME = "keyring.json"
LIMIT_BYTES = 64 * 1024

LOCK_SECONDS = 600.0
"""Who locked may be gone; else it ends sooner by itself."""


@define(eq=False, kw_only=True)
class KeyHolder:
    """
    Does with the keys of this node what is asked, and remembers it before it answers.

    :param directory: where the file is; made by the first write, its parent exists.
    :param clock: what locks end by.
    :param grace: for how long a key is accepted that was replaced.
    :param take: is given the keyring whenever it is another one.
    """

    _clock: IReactorTime
    _directory: str
    _run_in_pool: RunInPool
    _wall_clock: Callable[[], datetime]
    _grace: timedelta
    _take: Callable[[Keyring], None]
    _log: Logger
    _held: HeldKeys | None = field(default=None, init=False)
    _one_at_a_time: DeferredLock = field(factory=DeferredLock, init=False)
    _owner: bytes | None = field(default=None, init=False)
    _owned_until: float = field(default=0.0, init=False)

    @property
    def keys(self) -> NodeKeys | None:
        """What this node has; None: it seals nothing, or has not begun."""
        return None if self._held is None else self._held.told

    async def begin(self, configured: tuple[bytes, ...]) -> Keyring | None:
        """
        The keys to begin with.

        :param configured: those of the configuration; none at all: nothing is sealed,
            whatever was kept.
        """
        if not configured:
            self._held = None
            return None
        self._held = await self._kept(configured)
        return self._held.keyring

    async def carry_out(self, request: KeyRequest) -> NodeKeys:
        """
        Do what is asked; doing it again changes nothing.

        :raises KeyRefused: it makes no sense now, or could not be remembered.
        """
        async with self._one_at_a_time:
            held = self._held
            if held is None:
                raise KeyRefused("this node seals nothing")
            self._check_owner(request)
            changed = self._changed(held, request)
            if changed != held:
                await self._write(changed)
                self._hold(changed)
            return changed.told

    async def expire(self) -> None:
        """Drop what has retired by now."""
        async with self._one_at_a_time:
            held = self._held
            if held is None:
                return
            left = held.expire(self._wall_clock())
            if left != held:
                gone = {*held.told.names} - {*left.told.names}
                self._log.info(
                    "Gossip is no longer accepted with the keys {keys}",
                    keys=", ".join(sorted(gone)),
                )
                await self._write(left)
                self._hold(left)

    def _check_owner(self, request: KeyRequest) -> None:
        """One command at a time, from its lock to its end, and nothing after that."""
        if request.wish is Wish.TELL:
            return
        now = self._clock.seconds()
        if self._owner is not None and now >= self._owned_until:
            self._owner = None
        if request.wish is Wish.LOCK and self._owner is None:
            self._owner = request.owner
            self._owned_until = now + LOCK_SECONDS
        if request.owner != self._owner:
            raise KeyRefused("another change of keys is under way, or this one is over")
        if request.wish is Wish.UNLOCK:
            self._owner = None

    def _changed(self, held: HeldKeys, request: KeyRequest) -> HeldKeys:
        match request.wish:
            case Wish.TELL | Wish.LOCK | Wish.UNLOCK:
                return held
            case Wish.ADD:
                if name_key(request.key) != request.name:
                    raise KeyRefused("the key and its name do not fit together")
                return held.add(request.key, request.old)
            case Wish.USE:
                return held.use(request.name, self._wall_clock() + self._grace)
            case Wish.REMOVE:
                return held.remove(request.name)
            case Wish.SETTLE:
                return held.settle()

    def _hold(self, held: HeldKeys) -> None:
        before, self._held = self._held, held
        if before is None or before.keys != held.keys:
            self._log.info(
                "Gossip is sealed with the key {primary}, and accepted with {accepted}",
                primary=held.told.primary,
                accepted=", ".join(held.told.names),
            )
            self._take(held.keyring)

    async def _kept(self, configured: tuple[bytes, ...]) -> HeldKeys:
        try:
            document = await self._run_in_pool(self._read)
            if document is None:
                return fresh_keys(configured)
            return kept_keys(
                document, configured, now_at=self._wall_clock(), grace=self._grace
            )
        except OSError as error:
            reason = explain_error(error, self._path, "read the changed keys")
        except NotKeys as error:
            reason = f"{self._path}: {error}"
        except (ValueError, RecursionError):
            reason = f"{self._path}: it is not JSON, or too much of it"
        await self._give_up(reason)
        return fresh_keys(configured)

    async def _give_up(self, reason: str) -> None:
        aside = f"{self._path}.aside"
        try:
            await self._run_in_pool(lambda: self._set_aside(aside))
        except OSError as error:
            why = explain_error(error, self._path, "set it aside")
        else:
            why = f"it is kept as {aside}"
        self._log.error(
            "Keys that were changed across the ring are not known any more: {reason};"
            " {why}. The configured keys are used: if the ring uses another, give it"
            " in gossip.keys",
            reason=reason,
            why=why,
        )

    @property
    def _path(self) -> str:
        return os.path.join(self._directory, FILE_NAME)

    def _read(self) -> object:
        content = read_file(self._path, LIMIT_BYTES)
        return None if content is None else json.loads(content)

    def _set_aside(self, aside: str) -> None:
        os.rename(self._path, aside)
        sync_directory(self._directory)

    async def _write(self, held: HeldKeys) -> None:
        content = json.dumps(held.to_document(), indent=1).encode() + b"\n"

        def write() -> None:
            make_directory(self._directory)
            write_file(self._path, content)

        try:
            await self._run_in_pool(write)
        except OSError as error:
            raise KeyRefused(
                explain_error(error, self._path, "remember the keys")
            ) from None
