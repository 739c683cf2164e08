"""A secret is not seen."""

from __future__ import annotations

import json
import pickle

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from e2d.config.secret import Secret


class SecretTests(SynchronousTestCase):
    """Every text form of a secret is the same."""

    def setUp(self) -> None:
        """One secret."""
        self.secret = Secret("planted")

    def test_text(self) -> None:
        """str, repr, format and percent show stars."""
        texts = (
            str(self.secret),
            repr(self.secret),
            f"{self.secret}",
            f"{self.secret!r}",
        )
        self.assertEqual({"***"}, set(texts))
        self.assertEqual("***  ", f"{self.secret:5}")

    def test_log(self) -> None:
        """A log event shows stars."""
        event = {"log_format": "key {key}", "key": self.secret}
        self.assertEqual("key ***", formatEvent(event))

    def test_json(self) -> None:
        """JSON has no form for it, and as text it is stars."""
        self.assertRaises(TypeError, json.dumps, self.secret)
        self.assertEqual('"***"', json.dumps(self.secret, default=str))

    def test_pickle(self) -> None:
        """It is not pickled."""
        self.assertRaises(TypeError, pickle.dumps, self.secret)

    def test_equality(self) -> None:
        """Two are equal when what they hide is."""
        self.assertEqual(Secret("planted"), self.secret)
        self.assertNotEqual(Secret("other"), self.secret)
        self.assertNotEqual("planted", self.secret)
        self.assertEqual(1, len({self.secret, Secret("planted")}))

    def test_reveal(self) -> None:
        """The one who needs it asks by name."""
        self.assertEqual("planted", self.secret.reveal())
