"""The vendor's client, for the functions that have its key."""

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.clients import make_client
from numberdrop.settings import VendorSettings
from numberdrop.vendor.client import VendorClient


def make_vendor(settings: VendorSettings) -> VendorClient:
    """Reads the key when it is first needed."""
    return VendorClient(
        base_url=settings.vendor_base_url.rstrip("/"),
        api_key=ApiKey(make_client("secretsmanager"), settings.api_key_secret),
        user_id=settings.vendor_user_id,
    )
