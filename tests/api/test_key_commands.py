"""Tests of `e2d.api.key_commands`, through the control socket's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from e2d.api.channel import ApiSite
from e2d.api.resources import Root
from e2d.api.service import key_pages
from e2d.interfaces import IRingKeys, KeyChangeRefused
from e2d.model import (
    KeyChange,
    KeyName,
    KeySurvey,
    NodeKeys,
    NodeName,
    name_key,
)
from tests.api.exchange import Response, ask

KEY = bytes(range(32))
NAME = name_key(KEY)
OTHER = KeyName("0badcafe")


@implementer(IRingKeys)
class KnownKeys:
    """Keys of a ring of which one node does not answer."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.refusal: KeyChangeRefused | None = None

    async def survey(self) -> KeySurvey:
        """What there is."""
        keys = NodeKeys(
            names=(NAME, OTHER),
            change=KeyChange(new=OTHER, old=NAME),
            retiring=((OTHER, datetime(2026, 1, 8, tzinfo=UTC)),),
        )
        return KeySurvey(answers={NodeName("n1"): keys, NodeName("n2"): None})

    async def add(self, key: bytes, by: str) -> KeyName:
        """Note it."""
        self._note("add", key, by)
        return name_key(key)

    async def use(self, name: KeyName, by: str) -> None:
        """Note it."""
        self._note("use", name, by)

    async def remove(self, name: KeyName, by: str) -> None:
        """Note it."""
        self._note("remove", name, by)

    async def rotate(self, key: bytes, by: str) -> KeyName:
        """Note it."""
        self._note("rotate", key, by)
        return name_key(key)

    async def abort(self, by: str) -> KeyName:
        """Note it."""
        self._note("abort", by)
        return NAME

    def _note(self, *what: object) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.done.append(what)


class KeyCommandsTests(SynchronousTestCase):
    """What the control socket does with keys."""

    def setUp(self) -> None:
        """Given a ring."""
        self.keys = KnownKeys()

    def post(
        self, path: str, body: bytes = b"", keys: IRingKeys | None = None
    ) -> Response:
        """What is answered."""
        pages: Mapping[str, object] = key_pages(keys or self.keys)
        site = ApiSite(Root(pages), Clock())  # type: ignore[arg-type]
        return ask(site, "POST", f"/gossip/keys{path}", body)

    def test_survey(self) -> None:
        """Names of keys, by node; one that does not answer is null."""
        self.assertEqual(
            self.post("").document,
            {
                "nodes": {
                    "n1": {
                        "primary": NAME,
                        "accepted": [NAME, OTHER],
                        "changing": {"new": OTHER, "old": NAME},
                        "retiring": {OTHER: "2026-01-08T00:00:00+00:00"},
                    },
                    "n2": None,
                }
            },
        )

    def test_changes(self) -> None:
        """Each is done for who asks, and says which key it was about."""
        key = b'{"key": "%b"}' % KEY.hex().encode()
        name = b'{"name": "%b"}' % NAME.encode()
        self.assertEqual(self.post("/add", key).document, {"added": NAME})
        self.assertEqual(self.post("/rotate", key).document, {"used": NAME})
        self.assertEqual(self.post("/use", name).document, {"used": NAME})
        self.assertEqual(self.post("/remove", name).document, {"removed": NAME})
        self.assertEqual(self.post("/abort").document, {"used": NAME})
        self.assertEqual(
            self.keys.done,
            [
                ("add", KEY, "uid 1000"),
                ("rotate", KEY, "uid 1000"),
                ("use", NAME, "uid 1000"),
                ("remove", NAME, "uid 1000"),
                ("abort", "uid 1000"),
            ],
        )

    def test_wrong_requests(self) -> None:
        """They are refused in one line that repeats no key."""
        for path, body in (
            ("/add", b""),
            ("/add", b'{"key": 7}'),
            ("/add", b'{"key": "secretsecret"}'),
            ("/rotate", b'{"key": "AA=="}'),
            ("/use", b'{"name": "x"}'),
            ("/remove", b"{}"),
            ("/abort", b'{"key": "x"}'),
        ):
            answer = self.post(path, body)
            self.assertEqual(answer.code, 400, path)
            self.assertNotIn(b"secretsecret", answer.body)
        self.assertEqual(self.keys.done, [])

    def test_refused(self) -> None:
        """What the ring says is passed on."""
        self.keys.refusal = KeyChangeRefused("n3 does not answer")
        answer = self.post("/abort")
        self.assertEqual(answer.code, 409)
        self.assertEqual(answer.document, {"error": "n3 does not answer"})

    def test_no_ring(self) -> None:
        """A node without a ring says so."""
        site = ApiSite(Root(key_pages(None)), Clock())
        answer = ask(site, "POST", "/gossip/keys")
        self.assertEqual(answer.code, 409)
        self.assertIn("no gossip ring", answer.document["error"])
