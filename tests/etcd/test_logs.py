"""Lines of etcd's log, of every form it has."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.logs import LogLevel, LogLine, parse_line


class ParseLineTests(SynchronousTestCase):
    """One line becomes level, message, fields."""

    def test_json(self) -> None:
        """A line of zap gives what it says; time, place and trace are left out."""
        line = parse_line(
            b'{"level":"warn","ts":"2026-11-23T23:00:32.141Z","caller":"a/b.go:66",'
            b'"msg":"slow","took":"1.2s","count":3,"peers":["a"],"stacktrace":"x\\ny"}'
        )
        self.assertEqual(
            line,
            LogLine(
                level=LogLevel.WARN,
                message="slow",
                fields=(("took", "1.2s"), ("count", "3"), ("peers", '["a"]')),
            ),
        )
        self.assertEqual(line.text, 'slow took=1.2s count=3 peers=["a"]')

    def test_fatal(self) -> None:
        """Zap's panic and fatal are one level, and severe."""
        for level in ("panic", "fatal", "dpanic"):
            line = parse_line(json.dumps({"level": level, "msg": "x"}).encode())
            self.assertEqual(line.level, LogLevel.FATAL)
            self.assertTrue(line.severe)

    def test_capnslog(self) -> None:
        """The text form of 3.4 gives level, message and package."""
        line = parse_line(
            b"2026-11-23 22:50:13.123456 I | etcdmain: etcd Version: 3.4.23"
        )
        self.assertEqual(
            line,
            LogLine(
                level=LogLevel.INFO,
                message="etcd Version: 3.4.23",
                fields=(("package", "etcdmain"),),
            ),
        )

    def test_grpc(self) -> None:
        """Both forms of gRPC's own lines have a level."""
        old = parse_line(b"WARNING: 2026/11/23 22:57:20 [core] grpc: failed")
        new = parse_line(b"2026/11/23 23:01:48 WARNING: [core] grpc: failed")
        self.assertEqual(old, new)
        self.assertEqual(old.level, LogLevel.WARN)
        self.assertEqual(old.message, "[core] grpc: failed")

    def test_panic(self) -> None:
        """The line with which Go dies is severe, its trace is only text."""
        self.assertEqual(parse_line(b"panic: no").level, LogLevel.FATAL)
        self.assertIsNone(parse_line(b"goroutine 1 [running]:").level)

    def test_not_quite_json(self) -> None:
        """What only looks like JSON is text."""
        for raw in (b'{"level":', b'{"level":"info"}', b"{}", b'{"msg":1,"level":"x"}'):
            self.assertEqual(parse_line(raw).message, raw.decode())

    def test_control_characters(self) -> None:
        """Nothing of a line can move a terminal's cursor or begin a new line."""
        line = parse_line(b'{"level":"info","msg":"a\\u001b[2Jb\\nc"}')
        self.assertEqual(line.message, "a [2Jb c")

    def test_bounded(self) -> None:
        """A huge line is cut short."""
        line = parse_line(b"x" * 10_000_000)
        self.assertLessEqual(len(line.message), 4096)
        many = {"level": "info", "msg": "m", **{str(n): "v" * 99 for n in range(99)}}
        self.assertEqual(len(parse_line(json.dumps(many).encode()).fields), 32)

    @given(st.binary(max_size=2000))
    def test_any_bytes(self, raw: bytes) -> None:
        """Any bytes are a line."""
        self.assertEqual(parse_line(raw).text.splitlines()[1:], [])

    @given(st.dictionaries(st.text(max_size=9), st.integers() | st.text(), max_size=9))
    def test_any_fields(self, fields: dict[str, int | str]) -> None:
        """Any object with a level and a message is understood."""
        raw = json.dumps({**fields, "level": "error", "msg": "m"}).encode()
        self.assertEqual(parse_line(raw).level, LogLevel.ERROR)
