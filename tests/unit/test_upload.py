"""Uploads: job ids, result keys and the messages that announce them."""

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
    fields = {
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
            "object": {k: v for k, v in fields.items() if v is not None},
        },
    }


def parsed(event: Any) -> Upload | None:
    return upload_from_message(json.dumps(event), bucket="uploads")


# Job ids


def test_a_job_id_is_stable_and_hexadecimal() -> None:
    assert an_upload().job_id == an_upload().job_id
    assert re.fullmatch("[0-9a-f]{64}", an_upload().job_id)


def test_a_job_id_depends_only_on_bucket_key_and_version() -> None:
    assert an_upload(etag="other", size=1, sequencer="0B").job_id == an_upload().job_id


def test_two_versions_of_a_key_are_two_jobs() -> None:
    assert an_upload(version_id="v1").job_id != an_upload(version_id="v2").job_id


def test_without_versions_every_write_of_a_key_is_a_job() -> None:
    first, second = (an_upload(version_id=None, sequencer=sequencer) for sequencer in ("0A", "0B"))
    assert first.job_id != second.job_id


@given(identities, identities)
def test_job_ids_differ_if_bucket_key_or_version_differ(
    first: tuple[str, str, str | None, str], second: tuple[str, str, str | None, str]
) -> None:
    def upload(bucket: str, key: str, version: str | None, sequencer: str) -> Upload:
        return an_upload(key, bucket=bucket, version_id=version, sequencer=sequencer)

    # The sequencer counts only if there is no version.
    same = first[:3] == second[:3] and (first[2] is not None or first[3] == second[3])
    assert (upload(*first).job_id == upload(*second).job_id) is same


def test_moving_text_from_key_to_bucket_changes_the_job_id() -> None:
    assert an_upload("b/c", bucket="a").job_id != an_upload("c", bucket="a/b").job_id


# Where results go


@pytest.mark.parametrize("key", ODD_KEYS)
def test_result_keys_are_never_too_long(key: str) -> None:
    prefix = an_upload(key).results_prefix("band")
    assert prefix.endswith("/")
    assert len(f"{prefix}export.unreadable".encode()) <= MAX_KEY_BYTES


def test_results_go_below_the_uploads_key() -> None:
    upload = an_upload()
    assert upload.results_prefix("band") == f"band/spring/leads.txt/{upload.job_id[:12]}/"


def test_results_of_a_very_long_key_go_below_the_job_id() -> None:
    upload = an_upload("band/" + "k" * 1019)
    assert upload.results_prefix("band") == f"band/{upload.job_id}/"


def test_results_go_below_the_longest_key_that_fits() -> None:
    room = MAX_KEY_BYTES - len("/123456789012/export.unreadable")
    fitting, too_long = an_upload("k" * room), an_upload("k" * (room + 1))
    assert fitting.results_prefix("band").startswith(fitting.key)
    assert not too_long.results_prefix("band").startswith(too_long.key)


# Messages


def test_the_version_null_means_no_version() -> None:
    """While versioning is suspended every write has the version "null", and each is an upload of its own."""
    first, second = (
        parsed(event_about("band/a.txt", {"version-id": "null", "sequencer": sequencer}))
        for sequencer in ("0A", "0B")
    )
    assert first
    assert second
    assert first.version_id is None
    assert first.job_id != second.job_id


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_is_not_decoded(key: str) -> None:
    upload = parsed(event_about(key))
    assert upload == Upload("uploads", key, "v1", "e1", 12, "0A")


def test_an_event_without_a_version_gives_no_version() -> None:
    upload = parsed(event_about(object_changes={"version-id": None}))
    assert upload
    assert upload.version_id is None


def test_quotation_marks_around_an_etag_are_dropped() -> None:
    upload = parsed(event_about(object_changes={"etag": '"e1"'}))
    assert upload
    assert upload.etag == "e1"


@pytest.mark.parametrize("key", ["band/", "band/folder/"])
def test_a_key_that_ends_in_a_slash_is_a_folder_marker(key: str) -> None:
    assert an_upload(key).is_folder_marker


@pytest.mark.parametrize("message", [{"Event": "s3:TestEvent", "Bucket": "uploads"}, {"Records": []}])
def test_s3_test_messages_announce_no_upload(message: dict[str, Any]) -> None:
    assert parsed(message) is None


@pytest.mark.parametrize("body", ["", "no JSON", "{", "\ufeff", "[]", "null", '"text"', "7"])
def test_a_body_that_is_not_a_json_object_is_refused(body: str) -> None:
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
def test_an_event_without_a_new_object_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotAnUploadError):
        parsed(event_about() | changes)


def test_an_event_about_another_bucket_is_refused() -> None:
    event = event_about()
    event["detail"]["bucket"]["name"] = "uploads-of-others"
    with pytest.raises(NotAnUploadError):
        parsed(event)


def test_a_refused_message_is_not_quoted() -> None:
    with pytest.raises(NotAnUploadError) as caught:
        upload_from_message("+447946012345", bucket="uploads")
    assert "447946" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["source", "detail", "detail-type", "Records"]), inner)
        ),
    )
)
def test_random_json_is_never_accepted_as_an_upload(message: Any) -> None:
    try:
        assert parsed(message) is None
    except NotAnUploadError:
        return
