"""The vendor's API key, stored in AWS Secrets Manager."""

import re
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.clients import PROMPT, make_client

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)


class ApiKeyInvalidError(Exception):
    """The secret's value cannot be sent in an HTTP header. Store the key itself in the secret."""


class ApiKey:
    """Reads the key on first use and keeps it until the vendor refuses it.

    >>> import boto3
    >>> secrets = boto3.client("secretsmanager")
    >>> _ = secrets.create_secret(Name="vendor-key", SecretString="k3y")
    >>> ApiKey(secrets, "vendor-key").get()
    'k3y'
    """

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._value: str | None = None
        self.version: str | None = None
        """The version of the secret that was read last, which says nothing about the key itself."""

    @classmethod
    def connect(cls, secret_id: str) -> Self:
        """Return the key in a secret, with a client of its own."""
        return cls(make_client("secretsmanager", PROMPT), secret_id)

    def get(self) -> str:
        """Return the key.

        Raises:
            ApiKeyInvalidError: the secret does not contain a key.
        """
        if self._value is None:
            self._value = self._read()
        return self._value

    def refresh(self) -> bool:
        """Read the secret again and return whether the key has changed.

        Keeps the old key if the secret cannot be read or does not contain a key. The caller has just learned
        that the vendor refuses the key, which cost nothing; a second error must not hide that.
        """
        before = self._value
        try:
            self._value = self._read()
        except (ApiKeyInvalidError, BotoCoreError, ClientError):
            return False
        return self._value != before

    def _read(self) -> str:
        secret = self._client.get_secret_value(SecretId=self._secret_id)
        key = secret.get("SecretString", "").strip()
        if not _VISIBLE.fullmatch(key):
            raise ApiKeyInvalidError(
                "The secret does not contain an API key. Store the vendor's key in it as plain text."
            )
        self.version = secret.get("VersionId")
        return key
