"""debian/ agrees with setup.cfg."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from e2d import __version__
from tests.packaging.tree import ROOT, lines, setup_cfg

DEBIAN_NAMES = {
    "attrs": "attr",
    "pyopenssl": "openssl",
    "python3-etcd3": "etcd3",
    "pyyaml": "yaml",
}
"""Where Debian's package is not called python3-NAME."""


class ControlTests(SynchronousTestCase):
    """debian/control, whose dependencies are written by hand."""

    def test_every_requirement_is_a_dependency(self) -> None:
        """What pip installs for e2d, apt installs too."""
        control = (ROOT / "debian" / "control").read_text(encoding="utf-8")
        wanted = set()
        for requirement in lines(setup_cfg(), "options", "install_requires"):
            found = re.match(r"[A-Za-z0-9.-]+", requirement)
            assert found is not None
            name = found[0].lower()
            wanted.add(f"python3-{DEBIAN_NAMES.get(name, name)}")
        depends = set(re.findall(r"^ (python3-[a-z0-9.-]+)", control, re.MULTILINE))
        self.assertEqual(wanted - depends, set())

    def test_etcd3_is_not_dropped(self) -> None:
        """dh_python3 silently forgets a dependency that it can't translate."""
        overrides = (ROOT / "debian" / "py3dist-overrides").read_text(encoding="utf-8")
        self.assertEqual(overrides, "python3_etcd3 python3-etcd3\n")

    def test_plugin_cache_is_rebuilt(self) -> None:
        """Else each start as a non-root user complains of a cache it can't write."""
        triggers = (ROOT / "debian" / "e2d.triggers").read_text(encoding="utf-8")
        self.assertEqual(triggers, "activate-noawait twisted-plugins-cache\n")

    def test_version_is_the_same(self) -> None:
        """The newest entry of the changelog is this version."""
        changelog = (ROOT / "debian" / "changelog").read_text(encoding="utf-8")
        self.assertEqual(changelog.split(")")[0], f"e2d ({__version__}")
