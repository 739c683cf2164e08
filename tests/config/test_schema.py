"""The JSON Schema and the reference say what the parser does."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from twisted.trial.unittest import SynchronousTestCase

from e2d.config import load, show
from e2d.config.keys import ALPHA, BETA
from e2d.config.reference import reference
from e2d.config.schema import schema, written_default
from e2d.config.table import KEYS
from tests.config.golden import FIXTURES, valid_files
from tests.config.loading import HOST, beta, loaded

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.rst"


class SchemaTests(SynchronousTestCase):
    """``e2d config schema``."""

    def setUp(self) -> None:
        """One validator."""
        self.validator = Draft202012Validator(schema())

    def test_is_a_schema(self) -> None:
        """It is a schema of its draft, and JSON."""
        Draft202012Validator.check_schema(json.loads(json.dumps(schema())))

    def test_valid_files(self) -> None:
        """Every valid file is valid by it, and so is what is shown of it."""
        for path in valid_files():
            text = path.read_text("utf-8")
            documents = [one for one in yaml.safe_load_all(text) if one is not None]
            shown = show(load(text, source=path.name, host=HOST).configuration)
            self.validator.validate(documents[0])
            self.validator.validate(yaml.safe_load(shown))

    def test_broken_values(self) -> None:
        """Values that the parser refuses are refused by it."""
        for name in ("eight-errors", "kinds-of-values", "words", "unknown-key"):
            text = (FIXTURES / "broken" / f"{name}.yaml").read_text("utf-8")
            errors = list(self.validator.iter_errors(yaml.safe_load(text)))
            self.assertNotEqual([], errors, name)

    def test_tells_defaults(self) -> None:
        """A key carries its unit, both defaults and since when it is known."""
        properties = schema()["properties"]
        assert isinstance(properties, dict)
        compaction = properties["compactionInterval"]
        self.assertEqual("5m", compaction["default"])
        self.assertEqual("0s", compaction["x-default-v1alpha1"])
        self.assertEqual("v1alpha1", compaction["x-since"])
        self.assertIn("duration", compaction["x-unit"])


class TableTests(SynchronousTestCase):
    """The table of keys."""

    def test_defaults_can_be_written(self) -> None:
        """A file that spells out every default means the same as none."""
        for version in (ALPHA, BETA):
            document: dict[str, object] = {"apiVersion": version}
            for key in KEYS.values():
                value = written_default(key, version)
                unasked = key.path == "gossipAddr" or key.path.startswith("certs.")
                if value is not None and not unasked:
                    section = document
                    for name in key.path.split(".")[:-1]:
                        section = section.setdefault(name, {})  # type: ignore[assignment]
                    section[key.name] = value
            self.assertEqual(
                loaded(f"apiVersion: {version}"), loaded(yaml.safe_dump(document))
            )

    def test_every_key_is_shown(self) -> None:
        """Every key of a file that gives them all is shown again."""
        path = FIXTURES / "valid" / "every-key-of-v1beta1.yaml"
        made = load(path.read_text("utf-8"), source="x", host=HOST).configuration
        shown = yaml.safe_load(show(made))
        given = yaml.safe_load(path.read_text("utf-8"))
        self.assertEqual(_paths(given), _paths(shown))


def _paths(document: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and path not in KEYS:
            found |= _paths(value, f"{path}.")
        else:
            found.add(path)
    return found


class ReferenceTests(SynchronousTestCase):
    """``docs/configuration.rst``."""

    maxDiff = None

    def test_is_generated(self) -> None:
        """The page is what the table says: run ``python -m e2d.config.reference``."""
        self.assertEqual(DOCUMENT.read_text("utf-8"), reference())

    def test_every_key(self) -> None:
        """Every key has its entry."""
        page = reference()
        for path in KEYS:
            self.assertIn(f"\n``{path}``\n", page)

    def test_example_loads(self) -> None:
        """The example on the page loads."""
        page = reference()
        start = page.index("   apiVersion:")
        lines = page[start : page.index("Versions\n")].splitlines()
        example = "\n".join(line.removeprefix("   ") for line in lines)
        self.assertEqual(3, loaded(example).required_cluster_size)
        self.assertTrue(example.startswith(beta("").strip()))
