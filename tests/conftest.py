"""Settings for all tests: no test can reach an AWS account."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

DUMMY_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # The shell may have a proxy.
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}

settings.register_profile("numberdrop", deadline=None)
settings.load_profile("numberdrop")


MAX_BYTES_IN_AN_ID = 60
MAX_CHARACTERS_IN_AN_ID = 200


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Return a short id for long bytes and texts.

    The bytes of an archive contain its creation time, so parallel workers would collect different test ids.
    A text of a million characters makes reports unreadable.
    """
    match val:
        case bytes() if len(val) > MAX_BYTES_IN_AN_ID:
            return argname
        case str() if len(val) > MAX_CHARACTERS_IN_AN_ID:
            return argname
        case _:
            return None


@pytest.fixture(scope="session", autouse=True)
def _no_account() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in DUMMY_ACCOUNT.items():
            patch.setenv(name, value)
        yield
