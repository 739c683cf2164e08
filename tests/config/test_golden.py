"""Every kind of mistake is answered as the golden file says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.config.golden import FIXTURES, GOLDEN, answers, broken_files, messages


class GoldenTests(SynchronousTestCase):
    """The directory of broken configurations."""

    maxDiff = None

    def test_answers(self) -> None:
        """Broken files are answered literally as ``broken.golden`` says."""
        self.assertEqual(GOLDEN.read_text("utf-8"), answers())

    def test_every_file_is_refused(self) -> None:
        """There is no broken file that loads."""
        loads = [path.name for path in broken_files() if not messages(path)]
        self.assertEqual([], loads)

    def test_eight_at_once(self) -> None:
        """One run names all eight errors of a file, each with its own place."""
        said = messages(FIXTURES / "broken" / "eight-errors.yaml")
        places = {message.split(": ")[0] for message in said}
        self.assertEqual(8, len(said))
        self.assertEqual(8, len(places))

    def test_one_line_each(self) -> None:
        """A message is one line, and not a long one."""
        for path in broken_files():
            for message in messages(path):
                self.assertNotIn("\n", message)
                self.assertLess(len(message), 400)

    def test_no_secret(self) -> None:
        """No message repeats a secret."""
        self.assertNotIn("planted", GOLDEN.read_text("utf-8"))
