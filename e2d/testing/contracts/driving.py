"""How the tests of a suite run that are coroutines, whatever drives them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

__all__ = ["DrivenTests", "driven"]

if TYPE_CHECKING:
    _Base = SynchronousTestCase
else:
    # On its own it is no test, wherever its name is imported.
    _Base = object

_Self = TypeVar("_Self", bound="DrivenTests")


def driven(
    test: Callable[[_Self], Coroutine[Any, Any, None]],
) -> Callable[[_Self], object]:
    """A test that is a coroutine, driven as the test case says."""

    @wraps(test)
    def run(self: _Self) -> object:
        return self.drive(Deferred.fromCoroutine(test(self)))

    return run


class DrivenTests(_Base):
    """Mix into a test case, and say how its coroutines come to their end."""

    def drive(self, done: Deferred[None]) -> object:
        """What a test method returns: see that ``done`` comes to its end."""
        raise NotImplementedError
