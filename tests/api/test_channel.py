"""Tests of `e2d.api.channel`: requests that are none, or none of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, LogPublisher, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from e2d.api.channel import ApiSite
from e2d.api.reads import Reads
from e2d.api.resources import Root, read_pages
from e2d.api.service import act_pages
from e2d.testing.daemon import FakeDaemon
from tests.api.exchange import Connection, Response, SlowDaemon, ask, parse

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

MALFORMED = {"error": "the request is malformed"}


class ChannelTestCase(SynchronousTestCase):
    """A site to read, and one to act; neither may log anything."""

    def setUp(self) -> None:
        """Given both, and an ear for the log."""
        self.clock = Clock()
        daemon = FakeDaemon()
        reads = read_pages(Reads(daemon).by_path())
        self.public = ApiSite(Root(reads), self.clock)
        acts = act_pages(daemon, lambda: NOW)
        self.private = ApiSite(Root({**reads, **acts}), self.clock)
        self.said: list[Any] = []
        publisher: LogPublisher = globalLogPublisher
        publisher.addObserver(self.hear)
        self.addCleanup(publisher.removeObserver, self.hear)
        self.addCleanup(self.assert_silent)

    def hear(self, event: dict[str, Any]) -> None:
        """Note what is no developers' matter, and no command."""
        if event["log_level"] is not LogLevel.debug and "command" not in event:
            self.said.append(event)

    def assert_silent(self) -> None:
        """Nothing was."""
        self.assertEqual(self.said, [])

    def send(self, data: bytes) -> Response:
        """What is answered to these bytes."""
        return parse(Connection(self.public).open().send(data))


class MethodTests(ChannelTestCase):
    """Methods other than GET."""

    def assert_not_allowed(self, response: Response, allow: str) -> None:
        """405, with what is allowed instead."""
        self.assertEqual(response.code, 405)
        self.assertEqual(response.headers["allow"], allow.lower())
        self.assertEqual(response.document, {"error": f"only {allow} here"})

    def assert_head(self, site: ApiSite, path: str) -> None:
        """HEAD is GET without its body."""
        head, get = ask(site, "HEAD", path), ask(site, "GET", path)
        self.assertEqual(head.body, b"")
        self.assertEqual(head.code, get.code)
        # Dates and the size of the process's metrics vary from one to the next.
        self.assertEqual(sorted(head.headers), sorted(get.headers))
        self.assertNotEqual(head.headers["content-length"], "0")

    def test_head(self) -> None:
        """HEAD answers as GET without a body, whatever there is or is not."""
        self.assert_head(self.public, "/")
        self.assert_head(self.public, "/status")
        self.assert_head(self.public, "/decisions")
        self.assert_head(self.public, "/healthz")
        self.assert_head(self.public, "/readyz")
        self.assert_head(self.public, "/metrics")
        self.assert_head(self.public, "/nowhere")
        self.assert_head(self.private, "/restart")

    def test_others(self) -> None:
        """What neither reads nor acts is refused, with what may be done instead."""
        self.assert_not_allowed(ask(self.public, "POST", "/status"), "GET, HEAD")
        self.assert_not_allowed(ask(self.public, "OPTIONS", "/status"), "GET, HEAD")
        self.assert_not_allowed(ask(self.public, "TRACE", "/"), "GET, HEAD")
        self.assert_not_allowed(ask(self.public, "get", "/status"), "GET, HEAD")
        self.assert_not_allowed(ask(self.public, "DELETE", "/nowhere"), "GET, HEAD")
        self.assert_not_allowed(ask(self.private, "PUT", "/restart"), "POST")
        self.assert_not_allowed(ask(self.private, "PUT", "/status"), "GET, HEAD")

    def test_no_acting(self) -> None:
        """What acts is on the control socket only."""
        self.assert_not_allowed(ask(self.public, "POST", "/restart"), "GET, HEAD")

    def test_mistyped_command(self) -> None:
        """On the control socket a command that does not exist is not found."""
        self.assertEqual(ask(self.private, "POST", "/restrat").code, 404)

    def test_whole_server(self) -> None:
        """``OPTIONS *`` and a proxy's CONNECT are methods like any other."""
        self.assert_not_allowed(ask(self.public, "OPTIONS", "*"), "GET, HEAD")
        self.assert_not_allowed(
            ask(self.public, "CONNECT", "example.org:443"), "GET, HEAD"
        )
        self.assert_not_allowed(ask(self.private, "OPTIONS", "*"), "GET, HEAD, POST")


class TargetTests(ChannelTestCase):
    """What is asked for."""

    def test_no_path(self) -> None:
        """A target without a path is no resource."""
        response = ask(self.public, "GET", "*")
        self.assertEqual(response.code, 400)
        self.assertEqual(response.document, {"error": "the target must be a path"})
        self.assertEqual(ask(self.public, "GET", "status").code, 400)
        self.assertEqual(ask(self.public, "GET", "?x").code, 400)

    def test_absolute(self) -> None:
        """A target as a proxy is sent it has a path, too."""
        self.assertEqual(ask(self.public, "GET", "http://e2d/status?x").code, 200)
        self.assertEqual(ask(self.public, "GET", "http://e2d").code, 200)

    def test_query(self) -> None:
        """A query changes nothing."""
        self.assertEqual(ask(self.public, "GET", "/healthz?verbose&x=%ff").code, 200)

    def test_escapes(self) -> None:
        """An escape is what it stands for; one that is none is not found."""
        self.assertEqual(ask(self.public, "GET", "/%73tatus").code, 200)
        self.assertEqual(ask(self.public, "GET", "/%zz%00").code, 404)


class MalformedTests(ChannelTestCase):
    """What is no HTTP is answered once, and no more is heard of it."""

    def assert_malformed(self, data: bytes) -> None:
        """400, and whatever follows is dropped."""
        connection = Connection(self.public).open()
        response = parse(connection.send(data))
        self.assertEqual((response.code, response.document), (400, MALFORMED))
        self.assertEqual(response.headers["connection"], "close")
        self.assertTrue(connection.transport.half_closed)
        more = b"\r\n\r\nGET /status HTTP/1.1\r\n\r\n"
        self.assertEqual(connection.send(more), b"")

    def test_request_line(self) -> None:
        """A request line has a method, a target and a version that is known."""
        self.assert_malformed(b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n")
        self.assert_malformed(b"GET /\r\n\r\n")
        self.assert_malformed(b"GET / HTTP/1.1 x\r\n\r\n")
        self.assert_malformed(b"GET / HTTP/2.0\r\n\r\n")
        self.assert_malformed(b"GET / HTTP/9.9\r\n\r\n")
        self.assert_malformed(b"GET / ICY\r\n\r\n")
        self.assert_malformed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    def test_long_request_line(self) -> None:
        """A line without an end is not waited for."""
        self.assert_malformed(b"GET /" + b"x" * 20000)
        self.assert_malformed(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\n\r\n")

    def test_header_flood(self) -> None:
        """There are bounds to the size and to the number of headers."""
        line = b"GET /status HTTP/1.1\r\n"
        self.assert_malformed(line + b"X: " + b"x" * 20000 + b"\r\n\r\n")
        self.assert_malformed(line + b"X: xxxxxxxxxxxxxxxxx\r\n" * 2000)
        self.assert_malformed(line + b"X: x\r\n" * 600 + b"\r\n")

    def test_headers(self) -> None:
        """A header has a name, and the body one length."""
        line = b"POST /status HTTP/1.1\r\n"
        self.assert_malformed(line + b"x\r\n\r\n")
        self.assert_malformed(line + b"Content-Length: -1\r\n\r\n")
        self.assert_malformed(line + b"Transfer-Encoding: gzip\r\n\r\n")
        self.assert_malformed(line + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n")

    def test_chunks(self) -> None:
        """A chunk has a size."""
        self.assert_malformed(
            b"POST /status HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
        )

    def test_one_dot_zero(self) -> None:
        """HTTP/1.0 is known; the connection ends with the answer."""
        connection = Connection(self.public).open()
        answer = connection.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.0 200 OK\r\n"), answer)
        self.assertTrue(connection.transport.disconnecting)

    def test_form(self) -> None:
        """A body is what it is, whatever its type says."""
        connection = Connection(self.private).open()
        answer = connection.send(
            b"POST /pause HTTP/1.1\r\nContent-Type: multipart/form-data\r\n"
            b"Content-Length: 1\r\n\r\n{"
        )
        self.assertEqual(
            parse(answer).document, {"error": "the body must be JSON in UTF-8"}
        )

    def test_chunked_body_stays_in_memory(self) -> None:
        """A body without a length needs no file."""
        (request,) = self.open_request(b"Transfer-Encoding: chunked")
        self.assertEqual(type(request.content).__name__, "BytesIO")

    def open_request(self, header: bytes) -> list[Any]:
        """Requests of which the head has come."""
        connection = Connection(self.private).open()
        connection.send(b"POST /pause HTTP/1.1\r\n" + header + b"\r\n\r\n")
        requests: list[Any] = connection.protocol.requests
        return requests


class TimeTests(ChannelTestCase):
    """How long the other side may take."""

    def setUp(self) -> None:
        """Given a connection."""
        super().setUp()
        self.connection = Connection(self.private).open()
        self.transport = self.connection.transport

    def trickle(self, data: bytes, seconds: float) -> bytes:
        """Send a byte a second; what is answered in the last one."""
        answer = b""
        for second in range(int(seconds)):
            answer = self.connection.send(data[second : second + 1])
            self.clock.advance(1)
        return answer + self.transport.value()

    def assert_late(self, answer: bytes) -> None:
        """408, and no more is heard."""
        response = parse(answer)
        self.assertEqual(response.code, 408)
        self.assertEqual(response.document, {"error": "no request within 30 s"})
        self.assertTrue(self.transport.half_closed)

    def test_silent(self) -> None:
        """A connection that says nothing is closed after half a minute."""
        self.clock.advance(29.9)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.transport.value(), b"")

    def test_slow_head(self) -> None:
        """So is one that says a little at a time."""
        self.assertEqual(self.trickle(b"GET /status HTTP/1.1\r\nX: x", 29), b"")
        self.assert_late(self.trickle(b"xx", 1))

    def test_slow_body(self) -> None:
        """Nor may a body take longer."""
        self.connection.send(b"POST /pause HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        self.assert_late(self.trickle(b" " * 30, 30))

    def test_kept_open(self) -> None:
        """After an answer the next request has its own half minute."""
        self.clock.advance(20)
        self.connection.send(b"GET /status HTTP/1.1\r\n\r\n")
        self.clock.advance(29.9)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnecting)

    def test_refused(self) -> None:
        """Who does not go after a refusal is broken off."""
        self.connection.send(b"x\r\n")
        self.clock.advance(4.9)
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.disconnected)

    def test_answer_not_taken(self) -> None:
        """Who does not take the last answer is broken off as well."""
        self.connection.send(b"GET /status HTTP/1.0\r\n\r\n")
        self.assertTrue(self.transport.disconnecting)
        self.clock.advance(5.1)
        self.assertTrue(self.transport.disconnected)

    def test_silent_does_not_go(self) -> None:
        """Who was hung up on and does not go is broken off."""
        self.clock.pump([30.1, 5.1])
        self.assertTrue(self.transport.disconnected)

    def test_command(self) -> None:
        """A command may take longer than a request."""
        stopped: Deferred[None] = Deferred()
        pages = act_pages(SlowDaemon(stopped), lambda: NOW)
        connection = Connection(ApiSite(Root(pages), self.clock)).open()
        connection.send(b"POST /restart HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        self.clock.advance(600)
        stopped.callback(None)
        self.assertEqual(parse(connection.transport.value()).code, 200)

    def test_gone(self) -> None:
        """Nothing is left of a connection that is closed."""
        self.connection.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
