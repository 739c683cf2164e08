"""What would keep etcd from starting."""

from __future__ import annotations

import errno
import os

from twisted.trial.unittest import SynchronousTestCase

from e2d.etcd.preflight import _explain, data_in_use
from e2d.etcd.processes import Processes, RunningProcess
from e2d.model import Address, ProblemKind

_ADDRESS = Address("10.0.0.1", 2379)


class PreflightTests(SynchronousTestCase):
    """Each obstacle in one line, with the way out."""

    def setUp(self) -> None:
        """A procfs without processes."""
        self.proc = self.mktemp()
        os.mkdir(self.proc)
        self.processes = Processes(self.proc)

    def test_port_in_use(self) -> None:
        """The address is named, and how to find who has it."""
        error = OSError(errno.EADDRINUSE, "x")
        problem = _explain(error, _ADDRESS, self.processes)
        self.assertEqual(problem.kind, ProblemKind.PORT_IN_USE)
        self.assertEqual(
            problem.message,
            "etcd can't listen on 10.0.0.1:2379: the port is in use",
        )

    def test_address_unavailable(self) -> None:
        """An address of another host is said to be that."""
        error = OSError(errno.EADDRNOTAVAIL, "x")
        problem = _explain(error, _ADDRESS, self.processes)
        self.assertEqual(problem.kind, ProblemKind.ADDRESS_UNAVAILABLE)

    def test_privileged_port(self) -> None:
        """A port for root alone is said to be that."""
        error = OSError(errno.EACCES, "x")
        problem = _explain(error, Address("::1", 79), self.processes)
        self.assertEqual(problem.kind, ProblemKind.PERMISSION_DENIED)
        self.assertIn("[::1]:79", problem.message)

    def test_unknown(self) -> None:
        """What is not understood here is left to etcd to say."""
        error = OSError(errno.ENOBUFS, "x")
        self.assertIsNone(_explain(error, _ADDRESS, self.processes))

    def test_data_in_use(self) -> None:
        """Who uses the data is named, and how to end it."""
        problem = data_in_use("/data", RunningProcess(pid=12, name="etcd"))
        self.assertEqual(
            problem.message,
            "/data is in use by etcd (pid 12), which this e2d did not start",
        )
        self.assertEqual(problem.remedy, "stop it: kill 12; or name another dataDir")

    def test_data_in_use_out_of_sight(self) -> None:
        """A user that can't be seen can at least be searched for."""
        problem = data_in_use("/data", RunningProcess(pid=0, name=""))
        self.assertIn("fuser -v /data", problem.remedy)
