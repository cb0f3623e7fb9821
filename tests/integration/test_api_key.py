"""The vendor's key: read when needed, kept, and read afresh when it is refused."""

from typing import Any

import boto3
import pytest

from numberdrop.aws.api_key import ApiKey, ApiKeyInvalidError
from tests.support.account import API_KEY, Account


class Counting:
    """Secrets Manager that counts how often it is asked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reads = 0

    def get_secret_value(self, **request: Any) -> Any:
        self.reads += 1
        return self._client.get_secret_value(**request)


@pytest.fixture
def client(account: Account) -> Counting:
    return Counting(boto3.client("secretsmanager"))


@pytest.fixture
def key(account: Account, client: Counting) -> ApiKey:
    reader: Any = client
    return ApiKey(reader, account.secret)


def test_nothing_is_read_before_the_key_is_needed(key: ApiKey, client: Counting) -> None:
    assert client.reads == 0


def test_the_key_is_read_once_and_kept(key: ApiKey, client: Counting) -> None:
    assert (key.get(), key.get()) == (API_KEY, API_KEY)
    assert client.reads == 1


def test_a_refresh_tells_that_the_key_has_changed(account: Account, key: ApiKey) -> None:
    key.get()
    account.rotate_key("a-newer-key")
    assert key.refresh()
    assert key.get() == "a-newer-key"


def test_a_refresh_tells_that_the_key_is_the_same(key: ApiKey) -> None:
    key.get()
    assert not key.refresh()


def test_white_space_around_the_key_is_left_out(account: Account, key: ApiKey) -> None:
    account.rotate_key("  pasted-key\n")
    assert key.get() == "pasted-key"


@pytest.mark.parametrize("value", [" ", "two words", "line\nbreak", "clé", '{"api_key":\t"x"}', "\x7f"])
def test_what_cannot_stand_in_a_header_is_no_key(account: Account, key: ApiKey, value: str) -> None:
    account.rotate_key(value)
    with pytest.raises(ApiKeyInvalidError) as caught:
        key.get()
    assert value.strip() == "" or value not in str(caught.value)


def test_a_binary_secret_is_no_key(account: Account, key: ApiKey) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=account.secret, SecretBinary=b"key")
    with pytest.raises(ApiKeyInvalidError):
        key.get()


def test_the_key_does_not_show_when_it_is_printed(key: ApiKey) -> None:
    key.get()
    assert API_KEY not in repr(key)


def test_a_secret_that_holds_no_key_any_more_leaves_the_old_one(account: Account, key: ApiKey) -> None:
    key.get()
    account.rotate_key("two words")
    assert not key.refresh()
    assert key.get() == API_KEY


def test_a_secret_that_is_gone_leaves_the_old_key(account: Account, key: ApiKey) -> None:
    key.get()
    boto3.client("secretsmanager").delete_secret(SecretId=account.secret, ForceDeleteWithoutRecovery=True)
    assert not key.refresh()
    assert key.get() == API_KEY
