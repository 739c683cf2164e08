"""e2d, built and installed in each way that people install it."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from e2d import __version__
from tests.integration.environments import (
    Environment,
    editable,
    must,
    pip,
    run,
    source_copy,
    wheel,
    workshop,
)

NOBODY = 65534
NO_FILE = "e2d: /nonexistent/e2d.yaml: there is no such file\n"
LISTED = "    e2d              Deploys and keeps alive etcd.\n"


def reachable_python() -> str:
    """
    An interpreter of this version that a user without any rights can run.

    :raises SkipTest: there is none.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
        try:
            if run(candidate, "-c", "pass", user=NOBODY).code == 0:
                return candidate
        except OSError:
            continue
    raise SkipTest(f"user {NOBODY} can reach no {version}")


class BuildTests(SynchronousTestCase):
    """What is in the files that are published."""

    def test_wheel_holds_e2d_and_its_plugin_only(self) -> None:
        """Tests, docs and debian/ would become top-level packages of every user."""
        names = zipfile.ZipFile(wheel()).namelist()
        strangers = [
            name
            for name in names
            if not name.startswith(("e2d/", f"e2d-{__version__}.dist-info/"))
        ]
        self.assertEqual(strangers, ["twisted/plugins/e2d_plugin.py"])
        self.assertIn("e2d/py.typed", names)
        self.assertIn("e2d/cluster/__init__.py", names)

    def test_sdist_can_be_tested_and_packaged(self) -> None:
        """It holds what `make test`, `make docs` and Debian need."""
        source = source_copy("sdist-source")
        build = "import setuptools.build_meta as b; print(b.build_sdist('.'))"
        name = must(run(sys.executable, "-c", build, cwd=source)).out.split()[-1]
        with tarfile.open(source / name) as archive:
            held = {each.split("/", 1)[-1] for each in archive.getnames()}
        wanted = {
            "LICENSE", "Makefile", "NEWS.md", "README.md", "debian/control",
            "docs/index.rst", "e2d/py.typed", "pyproject.toml", "scripts/fetch-etcd",
            "setup.cfg", "tests/packaging/test_tree.py",
            "twisted/plugins/e2d_plugin.py",
        }  # fmt: skip
        self.assertEqual(wanted - held, set())


class InstallTests(SynchronousTestCase):
    """twistd finds the plugin, whichever way it came."""

    def test_ordinary_install(self) -> None:
        """``pip install``, Twisted and e2d in one directory."""
        environment = Environment.make("ordinary")
        environment.install(wheel())
        self.assertIn(LISTED, environment.run("twistd", "--help").out)
        self.assertTrue((environment.path / "bin" / "e2d").exists())

    def test_uninstall_leaves_twisted_whole(self) -> None:
        """The two share a directory, and only one of them goes."""
        environment = Environment.make("uninstalled")
        before = sorted(environment.site_packages.glob("twisted/**/*.py"))
        environment.install(wheel())
        pip("--python", environment.python, "uninstall", "-q", "-y", "e2d")
        after = sorted(environment.site_packages.glob("twisted/**/*.py"))
        self.assertEqual(after, before)
        self.assertEqual(environment.run("twistd", "--version").code, 0)

    def test_editable_install(self) -> None:
        """``pip install -e``: a path, for Twisted does not see an import hook."""
        environment = editable("editable")
        self.assertIn(LISTED, environment.run("twistd", "--help").out)

    def test_read_only_site_packages(self) -> None:
        """Twisted can't write its plugin cache there, and lists e2d all the same."""
        root = os.geteuid() == 0
        interpreter = reachable_python() if root else sys.executable
        environment = Environment.make("read-only", interpreter)
        environment.install(wheel())
        for folder, _, _ in os.walk(environment.site_packages):
            Path(folder).chmod(0o555)
        done = environment.run("twistd", "--help", user=NOBODY if root else None)
        cache = environment.site_packages / "twisted" / "plugins" / "dropin.cache"
        self.assertEqual((done.code, cache.exists()), (0, False), done.err)
        self.assertIn(LISTED, done.out)

    def test_debian_style_install(self) -> None:
        """The plugin in a directory of its own beside Twisted's, as apt lays it out."""
        environment = Environment.make("debian-style")
        place = workshop() / "dist-packages"
        environment.install("--target", place, wheel())
        environment.also_from(place)
        self.assertIn(LISTED, environment.run("twistd", "--help").out)


class DebianPackageTests(SynchronousTestCase):
    """The .deb that scripts/build-deb builds."""

    def test_plugin_is_where_debians_twisted_looks(self) -> None:
        """It lies in dist-packages, and is found there."""
        if shutil.which("dpkg-checkbuilddeps") is None:
            raise SkipTest("dpkg-dev is not installed")
        source = source_copy("deb-source")
        missing = run("dpkg-checkbuilddeps", source / "debian" / "control")
        if missing.code != 0:
            raise SkipTest(missing.err.strip())
        built = must(run(source / "scripts" / "build-deb", workshop() / "deb")).out
        deb, unpacked = Path(built.strip()), workshop() / "unpacked"
        must(run("dpkg-deb", "-x", deb, unpacked))
        place = unpacked / "usr/lib/python3/dist-packages"
        self.assertTrue((place / "twisted/plugins/e2d_plugin.py").exists())
        self.assertTrue((place / "e2d/py.typed").exists())
        self.assertTrue((unpacked / "usr/bin/e2d").exists())
        self.assertEqual(list(unpacked.glob("usr/lib/systemd/**/*.service")), [])
        depends = must(run("dpkg-deb", "-f", deb, "Depends")).out
        self.assertIn("python3-etcd3", depends)
        self.assertIn("python3-twisted (>= 24.11)", depends)
        environment = Environment.make("deb")
        environment.also_from(place)
        self.assertIn(LISTED, environment.run("twistd", "--help").out)


class ExitCodeTests(SynchronousTestCase):
    """A missing configuration is wrong usage, however e2d is started."""

    def test_e2d_run(self) -> None:
        """``e2d run`` ends with 2, without a traceback."""
        environment = Environment.make("exit-codes")
        environment.install(wheel())
        done = environment.run("e2d", "run", "-c", "/nonexistent/e2d.yaml")
        self.assertEqual((done.code, done.err), (2, NO_FILE))

    def test_twistd(self) -> None:
        """``twistd -n e2d`` ends with 2, without a traceback."""
        environment = Environment.make("exit-codes-twistd")
        environment.install(wheel())
        done = environment.run(
            "twistd", "-n", "--pidfile=", "e2d", "-c", "/nonexistent/e2d.yaml"
        )
        self.assertEqual((done.code, done.err), (2, NO_FILE))
