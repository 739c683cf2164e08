"""
What e2d says of each broken configuration, in one file.

``python -m tests.config.golden`` writes the file anew; read the difference.
"""

from __future__ import annotations

from pathlib import Path

from e2d.config import ConfigurationError, HostFacts, load

FIXTURES = Path(__file__).parent.parent / "fixtures" / "config"
GOLDEN = FIXTURES / "broken.golden"
HOST = HostFacts(host_ip="10.0.0.5")


def broken_files() -> list[Path]:
    """Every configuration that must be refused."""
    return sorted((FIXTURES / "broken").glob("*.yaml"))


def valid_files() -> list[Path]:
    """Every configuration that must load."""
    return sorted((FIXTURES / "valid").glob("*.yaml"))


def messages(path: Path) -> list[str]:
    """What loading one file says, a message a line; nothing for one that loads."""
    try:
        load(path.read_text("utf-8"), source=path.name, host=HOST)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def answers() -> str:
    """What loading every broken file says."""
    blocks = ["\n".join(messages(path)) for path in broken_files()]
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(answers(), "utf-8")
