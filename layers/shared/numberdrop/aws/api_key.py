"""The vendor's API key, kept in AWS Secrets Manager."""

import re
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.clients import make_client

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)


class ApiKeyInvalidError(Exception):
    """The secret holds nothing that can stand in a header; put the key itself into it."""


class ApiKey:
    """Reads the key when it is first needed and keeps it until it is refused."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._value: str | None = None

    @classmethod
    def connect(cls, secret_id: str) -> Self:
        """Return the key in a secret, with a client of its own."""
        return cls(make_client("secretsmanager"), secret_id)

    def get(self) -> str:
        """The key.

        Raises:
            ApiKeyInvalidError: the secret holds no key.
        """
        if self._value is None:
            self._value = self._read()
        return self._value

    def refresh(self) -> bool:
        """Reads the secret again; returns whether it holds another key.

        A secret that cannot be read, or holds no key, leaves the old one. Whoever asks has just learnt that
        the vendor refuses the key, free of charge, and must not lose that to a second error.
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
            raise ApiKeyInvalidError("The secret must hold the vendor's API key as plain text.")
        return key
