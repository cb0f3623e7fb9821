"""Uploads: their job ids, where their results go, and the messages that announce them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.jobs.upload import MAX_KEY_BYTES, NotAnUploadError, Upload, upload_from_message
from tests.support.jobs import an_upload

ODD_KEYS = [
    "band/with spaces and  two.txt",
    "band/plus+sign.txt",
    "band/literal%20percent.txt",
    "band/ümläut/ñ/数.txt",
    "band/emoji 🎈.txt",
    "band/../../etc/passwd",
    "band/./x",
    'band/"quotes"\\back.txt',
    "band/line\nbreak\r.txt",
    "band/" + "k" * (MAX_KEY_BYTES - 5),
    "band/" + "é" * ((MAX_KEY_BYTES - 5) // 2),
]

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
identities = st.tuples(texts, texts, st.one_of(st.none(), texts), texts)


def event_about(key: str = "band/a.txt", object_changes: dict[str, Any] | None = None) -> dict[str, Any]:
    described = {
        "key": key,
        "size": 12,
        "etag": "e1",
        "version-id": "v1",
        "sequencer": "0A",
        **(object_changes or {}),
    }
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": "uploads"},
            "object": {k: v for k, v in described.items() if v is not None},
        },
    }


def parsed(event: Any) -> Upload | None:
    return upload_from_message(json.dumps(event), bucket="uploads")


# Job ids


def test_a_job_id_is_the_same_each_time_and_is_plain_hexadecimal() -> None:
    assert an_upload().job_id == an_upload().job_id
    assert re.fullmatch("[0-9a-f]{64}", an_upload().job_id)


def test_a_job_id_does_not_depend_on_what_may_differ_between_two_events_of_one_version() -> None:
    assert an_upload(etag="other", size=1, sequencer="0B").job_id == an_upload().job_id


def test_two_versions_of_a_key_are_two_jobs() -> None:
    assert an_upload(version_id="v1").job_id != an_upload(version_id="v2").job_id


def test_without_versions_each_write_of_a_key_is_a_job() -> None:
    first, second = (an_upload(version_id=None, sequencer=sequencer) for sequencer in ("0A", "0B"))
    assert first.job_id != second.job_id


@given(identities, identities)
def test_job_ids_differ_whenever_bucket_key_or_version_differ(
    one: tuple[str, str, str | None, str], other: tuple[str, str, str | None, str]
) -> None:
    def upload(bucket: str, key: str, version: str | None, sequencer: str) -> Upload:
        return an_upload(key, bucket=bucket, version_id=version, sequencer=sequencer)

    # The sequencer takes the version's place only where there is none.
    same = one[:3] == other[:3] and (one[2] is not None or one[3] == other[3])
    assert (upload(*one).job_id == upload(*other).job_id) is same


def test_the_parts_of_an_identity_cannot_run_into_each_other() -> None:
    assert an_upload("b/c", bucket="a").job_id != an_upload("c", bucket="a/b").job_id


# Where results go


@pytest.mark.parametrize("key", ODD_KEYS)
def test_results_go_where_a_key_still_fits(key: str) -> None:
    prefix = an_upload(key).results_prefix("band")
    assert prefix.endswith("/")
    assert len(f"{prefix}export.unreadable".encode()) <= MAX_KEY_BYTES


def test_results_go_below_the_uploads_own_key() -> None:
    upload = an_upload()
    assert upload.results_prefix("band") == f"band/spring/leads.txt/{upload.job_id[:12]}/"


def test_the_results_of_a_key_of_full_length_go_below_the_job_id() -> None:
    upload = an_upload("band/" + "k" * 1019)
    assert upload.results_prefix("band") == f"band/{upload.job_id}/"


def test_a_key_is_used_for_results_up_to_the_last_byte() -> None:
    room = MAX_KEY_BYTES - len("/123456789012/export.unreadable")
    fitting, too_long = an_upload("k" * room), an_upload("k" * (room + 1))
    assert fitting.results_prefix("band").startswith(fitting.key)
    assert not too_long.results_prefix("band").startswith(too_long.key)


# Messages


def test_a_version_that_is_called_null_is_none() -> None:
    """While versioning is suspended every write of a key is called so, and each is another upload."""
    first, second = (
        parsed(event_about("band/a.txt", {"version-id": "null", "sequencer": sequencer}))
        for sequencer in ("0A", "0B")
    )
    assert first
    assert second
    assert first.version_id is None
    assert first.job_id != second.job_id


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_is_taken_as_it_stands_in_the_event(key: str) -> None:
    upload = parsed(event_about(key))
    assert upload == Upload("uploads", key, "v1", "e1", 12, "0A")


def test_an_event_without_a_version_is_an_upload_without_one() -> None:
    upload = parsed(event_about(object_changes={"version-id": None}))
    assert upload
    assert upload.version_id is None


def test_an_etag_in_quotes_loses_them() -> None:
    upload = parsed(event_about(object_changes={"etag": '"e1"'}))
    assert upload
    assert upload.etag == "e1"


@pytest.mark.parametrize("key", ["band/", "band/folder/"])
def test_a_key_that_ends_in_a_slash_is_a_folder_marker(key: str) -> None:
    assert an_upload(key).is_folder_marker


@pytest.mark.parametrize("message", [{"Event": "s3:TestEvent", "Bucket": "uploads"}, {"Records": []}])
def test_test_messages_of_s3_and_empty_lists_announce_nothing(message: dict[str, Any]) -> None:
    assert parsed(message) is None


@pytest.mark.parametrize("body", ["", "no JSON", "{", "\ufeff", "[]", "null", '"text"', "7"])
def test_a_body_that_is_no_json_object_is_no_upload(body: str) -> None:
    with pytest.raises(NotAnUploadError):
        upload_from_message(body, bucket="uploads")


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "aws.ec2"},
        {"source": None},
        {"detail-type": "Object Deleted"},
        {"detail": None},
        {"detail": []},
        {"detail": {}},
        {"detail": {"bucket": "uploads", "object": {}}},
        {"detail": {"bucket": {"name": "uploads"}, "object": None}},
        {"detail": {"bucket": {"name": "uploads"}, "object": "band/a.txt"}},
        {"detail": {"bucket": {"name": "uploads"}, "object": {"key": "band/a.txt", "etag": "e"}}},
        {"detail": {"bucket": {"name": "uploads"}, "object": {"key": "a", "etag": "e", "size": "big"}}},
    ],
)
def test_an_event_that_describes_no_new_object_is_no_upload(changes: dict[str, Any]) -> None:
    with pytest.raises(NotAnUploadError):
        parsed(event_about() | changes)


def test_an_event_about_another_bucket_is_no_upload() -> None:
    event = event_about()
    event["detail"]["bucket"]["name"] = "uploads-of-others"
    with pytest.raises(NotAnUploadError):
        parsed(event)


def test_the_refusal_of_a_message_does_not_quote_it() -> None:
    with pytest.raises(NotAnUploadError) as caught:
        upload_from_message("+447946012345", bucket="uploads")
    assert "447946" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["source", "detail", "detail-type", "Records"]), inner)
        ),
    )
)
def test_no_json_whatever_is_taken_for_an_upload_by_accident(message: Any) -> None:
    try:
        assert parsed(message) is None
    except NotAnUploadError:
        return
