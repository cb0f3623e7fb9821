"""A stand-in for the vendor: the same HTTP interface on loopback, with faults on request.

Run it inside a test::

    with Simulator(duration_seconds=0) as simulator:
        simulator.inject_fault("submit", "http_error", status=500)
        submit_to(simulator.url)
        assert simulator.charges == []

or as a process of its own with ``python -m local.simulator``, and control that through
:class:`RemoteSimulator`. ``FAULTS`` lists every fault.
"""

from local.simulator.exports import verdict
from local.simulator.faults import FAULTS, Operation
from local.simulator.model import Charge, Download, Settings, Submission
from local.simulator.remote import RemoteSimulator
from local.simulator.server import Simulator

__all__ = [
    "FAULTS",
    "Charge",
    "Download",
    "Operation",
    "RemoteSimulator",
    "Settings",
    "Simulator",
    "Submission",
    "verdict",
]
