"""Contenders with known memory use, for tests of the benchmarks."""

from benchmarks.measuring import MIB, Work


def with_little() -> Work:
    return lambda: len(bytes(MIB))


def with_much() -> Work:
    return lambda: len(bytearray(b"1") * (64 * MIB))


def with_failure() -> Work:
    def work() -> float:
        raise AssertionError

    return work
