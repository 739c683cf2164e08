"""Remembered peers on disk: ``<dataDir>/e2d/peers.json``."""

from __future__ import annotations

import json
import os
from datetime import datetime

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
from e2d.gossip.acquaintances import Acquaintances, NotAcquaintances
from e2d.model import Address

__all__ = ["PeerFile"]

FILE_NAME = "peers.json"

LIMIT_BYTES = 1024 * 1024
"""As many peers as are kept, with the longest names, each letter of them escaped."""

CHANGED_SECONDS = 60.0
"""While a ring comes and goes, its file is not written all the time."""

COUNTED_SECONDS = 600.0
"""What is lost in a crash of the time that was counted: little of 24 hours."""


@define(eq=False)
class PeerFile:
    """
    Keeps what is remembered, as well as the disk lets it.

    The ring does not depend on it: nothing here fails, and what the disk says is
    logged when it says something else.

    :param directory: where it is; made by the first write, its parent exists.
    :param run_in_pool: runs what blocks.
    """

    _clock: IReactorTime
    _directory: str
    _run_in_pool: RunInPool
    _log: Logger = field(factory=Logger)
    _lock: DeferredLock = field(factory=DeferredLock, init=False)
    _tried: float | None = field(default=None, init=False)
    _written: frozenset[Address] = field(default=frozenset(), init=False)
    _problem: str | None = field(default=None, init=False)

    @property
    def problem(self) -> str | None:
        """Why it could not be written when it last should have been."""
        return self._problem

    async def load(
        self, *, label: str | None, own: Address, at: datetime
    ) -> Acquaintances:
        """
        What is remembered for this ring.

        A file that cannot be understood, or is of another ring, is set aside as
        ``peers.json.aside``, in place of what was set aside before; nobody is
        remembered then.

        :param own: this node's address.
        :param at: now.
        """
        try:
            document = await self._run_in_pool(self._read)
            if document is None:
                return Acquaintances(label, own)
            known = Acquaintances.from_document(document, label=label, own=own, at=at)
        except OSError as error:
            reason = explain_error(error, self._path, "read the remembered peers")
        except (ValueError, RecursionError):
            reason = f"{self._path}: it is not JSON, or too much of it"
        except NotAcquaintances as error:
            reason = f"{self._path}: {error.reason}"
        else:
            self._tried = self._clock.seconds()
            self._written = frozenset(known.addresses())
            return known
        await self._give_up(reason)
        return Acquaintances(label, own)

    async def keep(self, known: Acquaintances) -> None:
        """
        Write what is remembered, if that is due: to be called often.

        Other addresses are written at most once in `CHANGED_SECONDS`, and the time
        that was counted every `COUNTED_SECONDS`.
        """
        if self._is_due(known) and not self._lock.locked:
            await self.save(known)

    async def save(self, known: Acquaintances) -> None:
        """Write what is remembered: on disk when this returns, if that can be."""
        content = json.dumps(known.to_document(), indent=1).encode() + b"\n"
        assert len(content) <= LIMIT_BYTES
        addresses = frozenset(known.addresses())
        await self._lock.acquire()
        try:
            self._tried = self._clock.seconds()
            await self._run_in_pool(lambda: self._write(content))
        except OSError as error:
            self._failed(explain_error(error, self._path, "remember peers"))
        else:
            self._succeeded(addresses)
        finally:
            self._lock.release()

    @property
    def _path(self) -> str:
        return os.path.join(self._directory, FILE_NAME)

    def _is_due(self, known: Acquaintances) -> bool:
        if frozenset(known.addresses()) != self._written:
            return self._since_tried(CHANGED_SECONDS)
        return bool(self._written) and self._since_tried(COUNTED_SECONDS)

    def _since_tried(self, seconds: float) -> bool:
        return self._tried is None or self._clock.seconds() - self._tried >= seconds

    def _read(self) -> object:
        content = read_file(self._path, LIMIT_BYTES)
        return None if content is None else json.loads(content)

    def _write(self, content: bytes) -> None:
        make_directory(self._directory)
        write_file(self._path, content)

    async def _give_up(self, reason: str) -> None:
        aside = f"{self._path}.aside"
        try:
            await self._run_in_pool(lambda: self._set_aside(aside))
        except OSError as error:
            why = explain_error(error, self._path, "set it aside")
        else:
            why = f"it is kept as {aside}"
        self._log.warn(
            "No peers are remembered: {reason}; {why}. Seeds and discovery are asked"
            " all the same",
            reason=reason,
            why=why,
        )

    def _set_aside(self, aside: str) -> None:
        os.rename(self._path, aside)
        sync_directory(self._directory)

    def _failed(self, problem: str) -> None:
        if problem != self._problem:
            self._log.error("{problem}; it is tried again", problem=problem)
        self._problem = problem

    def _succeeded(self, addresses: frozenset[Address]) -> None:
        if self._problem is not None:
            self._log.info("Peers are remembered again in {path}", path=self._path)
        self._problem = None
        self._written = addresses
