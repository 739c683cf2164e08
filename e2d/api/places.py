"""
Where the control socket is: the same rules for the daemon and for the commands.

A path of a socket ends at 107 bytes. One that was configured and is longer is an error;
the default falls back to a short path whose name is derived from the data directory, so
that the commands find it without being told.
"""

from __future__ import annotations

import os
from hashlib import sha256

from attrs import frozen

__all__ = [
    "LONGEST_PATH_BYTES",
    "PACKAGED_SOCKET",
    "SocketPathTooLong",
    "SocketPlace",
    "default_places",
    "socket_place",
]

LONGEST_PATH_BYTES = 107
"""Linux' ``sun_path``, without the zero at its end."""

PACKAGED_SOCKET = "/run/e2d/e2d.sock"
"""Where a daemon listens that the packaged systemd unit runs."""

NAME = "e2d.sock"


class SocketPathTooLong(Exception):
    """
    A configured path cannot be a socket's.

    :param path: as configured.
    """

    def __init__(self, path: str) -> None:
        super().__init__(
            f"api.socket is {_length(path)} bytes long and a socket's path can have"
            f" {LONGEST_PATH_BYTES}: choose a shorter one than {path}"
        )
        self.path = path


@frozen(kw_only=True)
class SocketPlace:
    """
    A path for the control socket.

    :param own_directory: made for the socket alone when it is missing, mode 0700;
        None where somebody else makes the directory.
    :param shared: ``own_directory`` is below a directory in which anybody can make
        files: who owns it must be looked at before it is used.
    """

    path: str
    own_directory: str | None = None
    shared: bool = False


def socket_place(
    *,
    configured: str | None,
    runtime_directory: str | None,
    data_dir: str,
    uid: int,
    user_runtime: str | None,
) -> SocketPlace:
    """
    Where the daemon listens.

    :param configured: ``api.socket``.
    :param runtime_directory: ``$RUNTIME_DIRECTORY``; the first, where it names several.
    :param data_dir: absolute.
    :param uid: who owns the data directory.
    :param user_runtime: ``/run/user/UID`` if there is such a directory.
    :raises SocketPathTooLong: of ``configured`` only.
    """
    if configured is not None:
        if _length(configured) > LONGEST_PATH_BYTES:
            raise SocketPathTooLong(configured)
        return SocketPlace(path=configured)
    if runtime_directory:
        place = SocketPlace(path=os.path.join(runtime_directory.split(":")[0], NAME))
        if _length(place.path) <= LONGEST_PATH_BYTES:
            return place
    return default_places(data_dir=data_dir, uid=uid, user_runtime=user_runtime)[0]


def default_places(
    *, data_dir: str, uid: int, user_runtime: str | None
) -> tuple[SocketPlace, ...]:
    """
    Where a daemon without ``api.socket`` and runtime directory may listen, best first.

    The daemon takes the first; a command looks at each, since ``/run/user/UID`` may
    have come or gone since the daemon was started.

    :param data_dir: absolute.
    :param uid: who owns the data directory.
    :param user_runtime: ``/run/user/UID`` if there is such a directory.
    """
    directory = os.path.join(data_dir, "e2d")
    path = os.path.join(directory, NAME)
    if _length(path) <= LONGEST_PATH_BYTES:
        return (SocketPlace(path=path, own_directory=directory),)
    digest = sha256(os.fsencode(data_dir)).hexdigest()[:12]
    places = []
    if user_runtime is not None:
        places.append(
            SocketPlace(path=os.path.join(user_runtime, f"e2d-{digest}.sock"))
        )
    # Not $TMPDIR: daemon and command may have different ones.
    private = f"/tmp/e2d-{uid}-{digest}"  # noqa: S108 - mode and owner are checked
    places.append(
        SocketPlace(
            path=os.path.join(private, NAME), own_directory=private, shared=True
        )
    )
    return tuple(places)


def _length(path: str) -> int:
    return len(os.fsencode(path))
