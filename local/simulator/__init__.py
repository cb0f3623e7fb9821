"""A stand-in for the vendor: the same HTTP interface on loopback, with faults on request.

Run it inside a test::

    with Simulator(duration_seconds=0) as simulator:
        simulator.misbehave("submit", "http_error", status=500)
        submit_to(simulator.url)
        assert simulator.charges == []

or as a process of its own with ``python -m local.simulator`` and steer it through
:class:`SimulatorControl`. ``MOODS`` lists every fault that can be asked for.
"""

from local.simulator.control import SimulatorControl
from local.simulator.exports import verdict
from local.simulator.model import Charge, Download, Settings, Submission
from local.simulator.moods import MOODS, Operation
from local.simulator.server import Simulator

__all__ = [
    "MOODS",
    "Charge",
    "Download",
    "Operation",
    "Settings",
    "Simulator",
    "SimulatorControl",
    "Submission",
    "verdict",
]
