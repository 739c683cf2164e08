"""Environments to install e2d into, made offline from the packages of this one."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from attrs import frozen

from tests.packaging.tree import ROOT, lines, setup_cfg

__all__ = [
    "Environment",
    "Outcome",
    "editable",
    "must",
    "pip",
    "run",
    "source_copy",
    "wheel",
    "workshop",
]

NOT_THE_PROJECT = shutil.ignore_patterns(
    ".*", "build", "data", "dist", "_trial_temp*", "*.egg-info", "__pycache__",
    "dropin.cache",
)  # fmt: skip
OFFLINE = ("-q", "--no-deps", "--no-index", "--no-build-isolation")
TIMEOUT = 120.0


@frozen(kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(
    *command: str | Path,
    cwd: Path | str = "/",
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """
    Run a command to its end, from another directory than the source tree's.

    :param user: run it as this user, which takes root.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PIP_"))
    }
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        user=user,
        env={**clean, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Outcome(code=done.returncode, out=done.stdout, err=done.stderr)


def must(outcome: Outcome) -> Outcome:
    """The outcome of a command that the test needs to have succeeded."""
    assert outcome.code == 0, outcome.out + outcome.err
    return outcome


def pip(*arguments: str | Path) -> None:
    """Run pip, and insist that it succeeds."""
    must(run(sys.executable, "-m", "pip", *arguments))


@cache
def workshop() -> Path:
    """A directory that any user can reach, removed at the end of the run."""
    path = Path(tempfile.mkdtemp(prefix="e2d-packaging-"))
    path.chmod(0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def source_copy(name: str) -> Path:
    """A copy of the source tree, for builds leave their traces in it."""
    path = workshop() / name
    shutil.copytree(ROOT, path, ignore=NOT_THE_PROJECT)
    return path


@cache
def wheel() -> Path:
    """The wheel of this tree, built once."""
    place = workshop() / "wheels"
    pip("wheel", *OFFLINE, "-w", place, source_copy("wheel-source"))
    (built,) = place.glob("*.whl")
    return built


def needed(requirements: Iterable[str]) -> dict[str, metadata.Distribution]:
    """The installed distributions that these requirements need, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip())[0].lower()
        if name in found or "extra ==" in requirement:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # its marker does not apply here
        waiting.extend(found[name].requires or ())
    return found


@cache
def packages() -> Path:
    """A site-packages with what e2d needs, and setuptools, but without e2d."""
    place = workshop() / "packages"
    place.mkdir()
    wanted = lines(setup_cfg(), "options", "install_requires")
    for distribution in needed([*wanted, "setuptools"]).values():
        for file in distribution.files or ():
            # What lies outside (../../bin/twistd) and what Python compiled is left.
            if file.parts[0] == ".." or file.suffix == ".pyc":
                continue
            target = place / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(distribution.locate_file(file)), target)
    return place


@frozen
class Environment:
    """
    A virtual environment without e2d, which shares no file with this one.

    :param path: where it is.
    """

    path: Path

    @classmethod
    def make(cls, name: str, interpreter: str = sys.executable) -> Environment:
        """
        Make one.

        :param interpreter: a Python of the same version as this one.
        """
        path = workshop() / name
        must(run(interpreter, "-m", "venv", "--without-pip", path))
        environment = cls(path)
        site = environment.site_packages
        shutil.copytree(packages(), site, dirs_exist_ok=True)
        twistd = path / "bin" / "twistd"
        twistd.write_text(
            f"#!{path}/bin/python\nfrom twisted.scripts.twistd import run\nrun()\n"
        )
        twistd.chmod(0o755)
        return environment

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its packages are."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.path / "lib" / version / "site-packages"

    def install(self, *what: str | Path) -> None:
        """Install with pip, from nothing but what is named."""
        pip("--python", self.python, "install", *OFFLINE, *what)

    def also_from(self, place: Path) -> None:
        """Let it find packages in one more directory, as Debian's does."""
        (self.site_packages / "more.pth").write_text(f"{place}\n")

    def run(
        self, script: str, *arguments: str | Path, user: int | None = None
    ) -> Outcome:
        """Run one of its commands from the root directory."""
        return run(self.path / "bin" / script, *arguments, user=user)


def editable(name: str) -> Environment:
    """An environment with an editable install of a copy of the tree."""
    environment = Environment.make(name)
    environment.install("-e", source_copy(f"{name}-source"))
    return environment
