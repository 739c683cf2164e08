"""The traps of a flat layout with a folder called ``twisted`` in it."""

from __future__ import annotations

import tomllib

from twisted.trial.unittest import SynchronousTestCase

from tests.packaging.tree import ROOT, lines, setup_cfg


class TreeTests(SynchronousTestCase):
    """Which files may be where."""

    def test_twisted_folder_hides_nothing(self) -> None:
        """An ``__init__.py`` there would hide all of Twisted, or our plugin."""
        found = [str(path) for path in (ROOT / "twisted").rglob("__init__.py")]
        self.assertEqual(found, [])

    def test_twisted_folder_holds_the_plugin_only(self) -> None:
        """Whatever else lay there would be installed into Twisted's package."""
        found = sorted(
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "twisted").rglob("*.py")
        )
        self.assertEqual(found, ["twisted/plugins/e2d_plugin.py"])

    def test_every_folder_of_tests_is_a_package(self) -> None:
        """A folder with tests and without ``__init__.py`` is never run by trial."""
        folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
        bare = [str(each) for each in folders if not (each / "__init__.py").exists()]
        self.assertEqual(bare, [])

    def test_every_folder_of_e2d_is_a_package(self) -> None:
        """A namespace package would be installed, but its parent would not know it."""
        folders = {path.parent for path in (ROOT / "e2d").rglob("*.py")}
        bare = [str(each) for each in folders if not (each / "__init__.py").exists()]
        self.assertEqual(bare, [])

    def test_types_are_published(self) -> None:
        """Without ``py.typed`` type checkers ignore e2d's annotations."""
        self.assertTrue((ROOT / "e2d" / "py.typed").exists())


class MetadataTests(SynchronousTestCase):
    """What setup.cfg must say, and pyproject.toml must not."""

    def test_editable_install_is_a_path(self) -> None:
        """Without this the editable install is an import hook, which plugins escape."""
        self.assertEqual(lines(setup_cfg(), "options", "package_dir"), ["= ."])

    def test_packages_are_named_by_pattern(self) -> None:
        """Neither tests nor docs are installed, and no new room is forgotten."""
        config = setup_cfg()
        self.assertEqual(config["options"]["packages"], "find_namespace:")
        self.assertEqual(
            lines(config, "options.packages.find", "include"),
            ["e2d", "e2d.*", "twisted.plugins"],
        )

    def test_metadata_has_one_home(self) -> None:
        """A [project] table makes setuptools ignore half of setup.cfg and fail."""
        pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        self.assertEqual(sorted(pyproject), ["build-system", "tool"])

    def test_values_have_no_comments(self) -> None:
        """In setup.cfg a comment after a value is part of the value."""
        text = (ROOT / "setup.cfg").read_text(encoding="utf-8")
        commented = [each for each in text.splitlines() if "#" in each.lstrip()[1:]]
        self.assertEqual(commented, [])
