"""The vendor's API key: read on first use, kept, and read again when it is refused."""

from typing import Any

import boto3
import pytest

from numberdrop.aws.api_key import ApiKey, ApiKeyInvalidError
from tests.support.account import API_KEY, Account


class CountingSecretsManager:
    """Secrets Manager that counts how often the secret is read."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reads = 0

    def get_secret_value(self, **request: Any) -> Any:
        self.reads += 1
        return self._client.get_secret_value(**request)


@pytest.fixture
def client(account: Account) -> CountingSecretsManager:
    return CountingSecretsManager(boto3.client("secretsmanager"))


@pytest.fixture
def key(account: Account, client: CountingSecretsManager) -> ApiKey:
    reader: Any = client
    return ApiKey(reader, account.secret)


def test_the_secret_is_not_read_before_it_is_needed(key: ApiKey, client: CountingSecretsManager) -> None:
    assert client.reads == 0


def test_the_key_is_read_once_and_kept(key: ApiKey, client: CountingSecretsManager) -> None:
    assert (key.get(), key.get()) == (API_KEY, API_KEY)
    assert client.reads == 1


def test_refresh_returns_true_if_the_key_has_changed(account: Account, key: ApiKey) -> None:
    key.get()
    account.rotate_key("a-newer-key")
    assert key.refresh()
    assert key.get() == "a-newer-key"


def test_refresh_returns_false_if_the_key_is_the_same(key: ApiKey) -> None:
    key.get()
    assert not key.refresh()


def test_whitespace_around_the_key_is_removed(account: Account, key: ApiKey) -> None:
    account.rotate_key("  pasted-key\n")
    assert key.get() == "pasted-key"


@pytest.mark.parametrize("value", [" ", "two words", "line\nbreak", "clé", '{"api_key":\t"x"}', "\x7f"])
def test_a_key_that_does_not_fit_in_a_header_is_invalid(account: Account, key: ApiKey, value: str) -> None:
    account.rotate_key(value)
    with pytest.raises(ApiKeyInvalidError) as caught:
        key.get()
    assert value.strip() == "" or value not in str(caught.value)


def test_a_binary_secret_is_invalid(account: Account, key: ApiKey) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=account.secret, SecretBinary=b"key")
    with pytest.raises(ApiKeyInvalidError):
        key.get()


def test_the_key_is_not_in_its_repr(key: ApiKey) -> None:
    key.get()
    assert API_KEY not in repr(key)


def test_refresh_keeps_the_old_key_if_the_new_one_is_invalid(account: Account, key: ApiKey) -> None:
    key.get()
    account.rotate_key("two words")
    assert not key.refresh()
    assert key.get() == API_KEY


def test_refresh_keeps_the_old_key_if_the_secret_is_gone(account: Account, key: ApiKey) -> None:
    key.get()
    boto3.client("secretsmanager").delete_secret(SecretId=account.secret, ForceDeleteWithoutRecovery=True)
    assert not key.refresh()
    assert key.get() == API_KEY
