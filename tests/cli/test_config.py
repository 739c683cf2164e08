"""``e2d config``."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from twisted.trial.unittest import SynchronousTestCase

from e2d.cli.config import config

_EXPLICIT = "clientAddr: 127.0.0.1:1\npeerAddr: 127.0.0.1:2\n"


def _runner() -> CliRunner:
    """Before click 8.2 the two outputs must be asked to stay apart."""
    try:
        return CliRunner(mix_stderr=False)  # type: ignore[call-arg]
    except TypeError:
        return CliRunner()


class ConfigTests(SynchronousTestCase):
    """check, show and schema, on standard input."""

    def run_config(self, *arguments: str, text: str = _EXPLICIT) -> Result:
        """Run ``e2d config`` with these arguments."""
        return _runner().invoke(config, list(arguments), input=text)

    def test_good(self) -> None:
        """A good file is "ok" and exit code 0."""
        result = self.run_config("check", "-c", "-")
        self.assertEqual(("ok\n", 0), (result.output, result.exit_code))

    def test_warnings(self) -> None:
        """Warnings do not change the exit code."""
        result = self.run_config(
            "check", "-c", "-", text=_EXPLICIT + "unsafeNoFsync: true"
        )
        self.assertEqual(0, result.exit_code)
        self.assertEqual(
            "warning: <stdin>:3:16: `unsafeNoFsync`: a power cut loses acknowledged "
            "writes\n",
            result.stderr,
        )
        self.assertEqual("ok\n", result.stdout)

    def test_errors(self) -> None:
        """Every error is a line on stderr, and the exit code is 2."""
        result = self.run_config("check", "-c", "-", text="dataDir: 1\nfoo: 2\n")
        self.assertEqual(2, result.exit_code)
        self.assertEqual("", result.stdout)
        self.assertEqual(
            "<stdin>:1:10: `dataDir` must be a path, not `1`; in quotes it is text: "
            '"1"\n<stdin>:2:1: unknown key `foo`\n',
            result.stderr,
        )

    def test_json(self) -> None:
        """As JSON an error has its parts."""
        result = self.run_config("check", "--json", "-c", "-", text="foo: 2\n")
        self.assertEqual(2, result.exit_code)
        self.assertEqual(
            {
                "ok": False,
                "errors": [
                    {
                        "file": "<stdin>",
                        "line": 1,
                        "column": 1,
                        "key": "foo",
                        "message": "unknown key `foo`",
                        "suggestion": "",
                    }
                ],
                "warnings": [],
            },
            json.loads(result.stdout),
        )

    def test_missing_file(self) -> None:
        """A named file that is missing is wrong usage."""
        result = self.run_config("show", "-c", "/nonexistent/e2d.yaml")
        self.assertEqual(2, result.exit_code)
        self.assertEqual(
            "/nonexistent/e2d.yaml: there is no such file\n", result.stderr
        )

    def test_show(self) -> None:
        """The effective configuration is YAML that is ok."""
        shown = self.run_config("show", "-c", "-").stdout
        self.assertIn("clientAddr: 127.0.0.1:1\n", shown)
        self.assertEqual("ok\n", self.run_config("check", "-c", "-", text=shown).output)

    def test_show_json(self) -> None:
        """The same as JSON, secrets as stars."""
        text = _EXPLICIT + "gossip: {keys: [MDEyMzQ1Njc4OWFiY2RlZg==]}"
        result = self.run_config("show", "--json", "-c", "-", text=text)
        self.assertEqual(["***"], json.loads(result.stdout)["gossip"]["keys"])
        self.assertNotIn("MDEyMzQ1", result.output)

    def test_schema(self) -> None:
        """The schema is JSON."""
        made = json.loads(self.run_config("schema").stdout)
        self.assertEqual("object", made["type"])
