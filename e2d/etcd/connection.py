"""
The connection to one member: opened late, replaced when broken, logged in when needed.

Note [Futures and threads]
--------------------------
A call is a gRPC future, which never blocks: it costs no thread while it waits, is
cancelled by cancelling the Deferred, and a member that hangs cannot use up the pool.
What does block runs in the injected pool: loading gRPC, reading credentials, and
reading a stream. A stream that is being waited on holds one thread of the pool.

Note [A fresh channel after a failure]
--------------------------------------
gRPC waits at least 100 ms after a failed attempt to connect, and longer each time.
Whoever starts an etcd wants to know at once when it serves. A channel that could not
connect is therefore dropped and the next call makes another, which tries immediately
and reads renewed credentials. It is not closed: other calls on it may yet end well.

Note [Whose time]
-----------------
A call ends by the reactor's clock, which leaves out what this process did not see
(`e2d.tap.steady`). gRPC's clock goes on meanwhile: by its deadline a call that was
under way would be over when the process goes on, and a member that is well be taken for
dead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from attrs import define, field, frozen

from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from e2d.config.secret import Secret
from e2d.etcd import methods
from e2d.etcd.methods import Fields, Method, Reply
from e2d.etcd.refusals import error_of, is_from_etcd, wants_login
from e2d.etcd.streams import PacedStream
from e2d.interfaces import EtcdRefused, EtcdUnavailable, IDaemonReactor
from e2d.model import Address

if TYPE_CHECKING:
    from e2d.etcd.channel import GrpcChannel, GrpcStream

__all__ = ["ClientTLS", "Connection", "Login", "Timeouts"]

_T = TypeVar("_T")
_MAX_PASSWORD = 4096

UNSEEN = 3600.0
"""Seconds that gRPC allows beyond a call's own; see Note [Whose time]."""


@frozen(kw_only=True)
class ClientTLS:
    """
    Files of the credentials, read when a connection is made.

    :param ca: certificates that etcd's own must be signed by, PEM.
    :param cert: the client's certificate, PEM; None for none.
    :param key: its key, PEM.
    """

    ca: str
    cert: str | None = None
    key: str | None = None


@frozen
class Login:
    """
    A user of etcd's own (B15).

    :param password_file: read at each login; one trailing newline is not part of it.
    :param password: instead of the file.
    """

    user: str
    password_file: str | None = None
    password: Secret | None = None

    def read_password(self) -> str:
        """Blocks."""
        if self.password is not None:
            return self.password.reveal()
        assert self.password_file is not None
        with open(self.password_file, encoding="utf-8") as file:
            return file.read(_MAX_PASSWORD).removesuffix("\n")


@frozen(kw_only=True)
class Timeouts:
    """
    How long a member may take, in seconds.

    :param request: for what should be quick. Below etcd's own 7 s, so that a lost
        quorum is told by the deadline.
    :param slow: for what rewrites or reads a whole database.
    :param stall: between two pieces of a snapshot.
    """

    request: float = 5.0
    slow: float = 600.0
    stall: float = 60.0


@define(eq=False)
class Connection:
    """
    Calls and streams to one member.

    :param pool: running, and stopped only after `close`.
    """

    _reactor: IDaemonReactor
    _pool: ThreadPool
    _address: Address
    _tls: ClientTLS | None
    _login: Login | None
    timeouts: Timeouts
    _channel: GrpcChannel | None = field(default=None, init=False)
    _opening: DeferredLock = field(factory=DeferredLock, init=False)
    _renewing: DeferredLock = field(factory=DeferredLock, init=False)
    _token: str | None = field(default=None, init=False)
    _auth_is_off: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)
    _streams: WeakSet[PacedStream] = field(factory=WeakSet, init=False)

    @property
    def endpoint(self) -> str:
        """``host:port``."""
        return str(self._address)

    async def call(self, method: Method, fields: Fields, seconds: float) -> Reply:
        """
        Ask, and log in again once if the token has expired.

        :param seconds: the deadline.
        :raises EtcdUnavailable: no answer that decides.
        :raises EtcdRefused: etcd said no.
        """
        await self._log_in_first()
        used = self._token
        try:
            return await self._attempt(method, fields, seconds, self._metadata())
        except EtcdRefused as refusal:
            if self._login is None or not wants_login(refusal.message):
                raise
        # It was refused before it was looked at, so it is safe to ask again.
        await self._renew(used)
        return await self._attempt(method, fields, seconds, self._metadata())

    async def stream(
        self,
        method: Method,
        fields: Fields,
        take: Callable[[GrpcStream], Reply],
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> PacedStream:
        """
        Begin a stream.

        A token is checked only after a stream was accepted, so each has a new one.

        :param take: reads the next piece, in the pool.
        """
        if self._login is not None:
            await self._renew(self._token)
        channel = await self._open()
        stream = channel.stream(method, fields, (*self._metadata(), *metadata))
        paced = PacedStream(
            self._reactor, self._pool, self.endpoint, stream, lambda: take(stream)
        )
        self._streams.add(paced)
        return paced

    async def close(self) -> None:
        """End all that is under way. Idempotent."""
        self._closed = True
        channel, self._channel = self._channel, None
        for stream in tuple(self._streams):
            stream.stop()
        if channel is not None:
            await self._in_pool(channel.close)

    # -- calls ------------------------------------------------------------------

    async def _attempt(
        self,
        method: Method,
        fields: Fields,
        seconds: float,
        metadata: tuple[tuple[str, str], ...],
    ) -> Reply:
        channel = await self._open()

        def settled(code: str | None, details: str, reply: Reply) -> None:
            self._reactor.callFromThread(
                self._settled, answer, channel, code, details, reply
            )

        answer: Deferred[Reply] = Deferred(lambda _: cancel())
        cancel = channel.call(method, fields, seconds + UNSEEN, metadata, settled)
        answer.addTimeout(seconds, self._reactor)  # type: ignore[unused-awaitable]
        try:
            return await answer
        except defer.TimeoutError:
            reason = f"no answer within {seconds:g} s"
            raise EtcdUnavailable(self.endpoint, reason) from None

    def _settled(
        self,
        answer: Deferred[Reply],
        channel: GrpcChannel,
        code: str | None,
        details: str,
        reply: Reply,
    ) -> None:
        broken = code == "UNAVAILABLE" and not is_from_etcd(details)
        if broken and self._channel is channel:
            self._channel = None
        if answer.called:
            return  # cancelled meanwhile
        if code is None:
            answer.callback(reply)
        else:
            answer.errback(Failure(error_of(self.endpoint, code, details)))

    # -- the channel ------------------------------------------------------------

    async def _open(self) -> GrpcChannel:
        async with self._opening:
            self._must_be_open()
            if self._channel is None:
                channel = await self._in_pool(self._make_channel)
                self._must_be_open()  # what was just made is closed when collected
                self._channel = channel
            return self._channel

    def _must_be_open(self) -> None:
        if self._closed:
            raise EtcdUnavailable(self.endpoint, "this client was closed")

    def _make_channel(self) -> GrpcChannel:
        # gRPC takes longer to load than all the rest of e2d.
        from e2d.etcd.channel import open_channel  # noqa: PLC0415

        tls = self._tls
        return open_channel(
            self._address.host,
            self._address.port,
            None if tls is None else tls.ca,
            None if tls is None else tls.cert,
            None if tls is None else tls.key,
        )

    async def _in_pool(self, blocking: Callable[[], _T]) -> _T:
        done = deferToThreadPool(self._reactor, self._pool, blocking)
        seconds = self.timeouts.request
        done.addTimeout(seconds, self._reactor)  # type: ignore[unused-awaitable]
        try:
            return await done
        except defer.TimeoutError:
            raise EtcdUnavailable(self.endpoint, "no thread was free") from None
        except (OSError, ValueError) as problem:
            raise EtcdUnavailable(self.endpoint, f"credentials: {problem}") from problem

    # -- who we are -------------------------------------------------------------

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return () if self._token is None else (("token", self._token),)

    async def _log_in_first(self) -> None:
        if self._login is None or self._token is not None or self._auth_is_off:
            return
        await self._renew(None)

    async def _renew(self, used: str | None) -> None:
        """Log in, unless somebody did since this token was used."""
        login = self._login
        assert login is not None
        async with self._renewing:
            if self._token != used:
                return
            password = await self._in_pool(login.read_password)
            fields: Fields = {"name": login.user, "password": password}
            seconds = self.timeouts.request
            self._token = None
            try:
                reply = await self._attempt(methods.AUTHENTICATE, fields, seconds, ())
            except EtcdRefused as refusal:
                if "authentication is not enabled" not in refusal.message:
                    raise
                self._auth_is_off = True
            else:
                self._auth_is_off = False
                self._token = str(reply.token)
