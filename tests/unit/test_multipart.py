"""The multipart body: its length is right, and it knows whether any byte was read."""

from collections.abc import Iterator
from io import BytesIO
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart import create_form_parser

from numberdrop.vendor.multipart import BLOCK, MultipartFile

fields = st.dictionaries(
    st.sampled_from(["task_type", "user_id", "other"]), st.text("abcXYZ_-.0123456789", max_size=20)
)


def blocks(body: MultipartFile) -> Iterator[bytes]:
    while block := body.read():
        yield block


@given(fields, st.binary(max_size=2000))
def test_the_length_equals_the_number_of_bytes_read(form: dict[str, str], content: bytes) -> None:
    body = MultipartFile(form, BytesIO(content))
    announced = len(body)
    assert announced == sum(len(block) for block in blocks(body))


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_the_length_is_right_at_block_boundaries(size: int) -> None:
    body = MultipartFile({"task_type": "band"}, BytesIO(b"7" * size))
    announced = len(body)
    assert announced == sum(len(block) for block in blocks(body))


def test_blocks_stay_small_whatever_size_is_requested() -> None:
    body = MultipartFile({}, BytesIO(b"7" * 3 * BLOCK))
    assert max(len(block) for block in blocks(body)) == BLOCK


@given(fields, st.binary(max_size=500))
def test_another_parser_reads_the_same_fields_and_file(form: dict[str, str], content: bytes) -> None:
    body = MultipartFile(form, BytesIO(content))
    read_fields, read_files = parsed(body)
    assert read_fields == form
    assert read_files == {"file": content}


def test_the_file_is_sent_under_a_fixed_name() -> None:
    assert b'name="file"; filename="numbers.txt"' in b"".join(blocks(MultipartFile({}, BytesIO(b"x"))))


def test_a_file_is_sent_from_its_current_position() -> None:
    file = BytesIO(b"already read|the rest")
    file.seek(13)
    body = MultipartFile({}, file)
    announced = len(body)
    content = b"".join(blocks(body))
    assert len(content) == announced
    assert b"\r\n\r\nthe rest\r\n" in content
    assert b"already read" not in content


def test_a_body_has_not_started_before_the_first_read() -> None:
    body = MultipartFile({}, BytesIO(b"x"))
    len(body)
    assert not body.started
    body.read()
    assert body.started


def test_an_error_before_the_first_read_sends_nothing() -> None:
    body = MultipartFile({}, BytesIO(b"x"), before_each_read=stop)
    with pytest.raises(TimeoutError):
        body.read()
    assert not body.started


def test_sending_can_be_stopped_between_two_blocks() -> None:
    reads = count()

    def stop_at_the_second_read() -> None:
        if next(reads):
            stop()

    body = MultipartFile({}, BytesIO(b"x"), before_each_read=stop_at_the_second_read)
    body.read()
    with pytest.raises(TimeoutError):
        body.read()


def test_each_body_has_its_own_boundary() -> None:
    assert MultipartFile({}, BytesIO()).content_type != MultipartFile({}, BytesIO()).content_type


def stop() -> None:
    raise TimeoutError


def parsed(body: MultipartFile) -> tuple[dict[str, str], dict[str, bytes]]:
    read_fields: dict[str, str] = {}
    read_files: dict[str, bytes] = {}

    def on_field(field: object) -> None:
        read_fields[field.field_name.decode()] = (field.value or b"").decode()  # type: ignore[attr-defined]

    def on_file(file: object) -> None:
        file.file_object.seek(0)  # type: ignore[attr-defined]
        read_files[file.field_name.decode()] = file.file_object.read()  # type: ignore[attr-defined]
        file.close()  # type: ignore[attr-defined]

    parser = create_form_parser({"Content-Type": body.content_type.encode()}, on_field, on_file)
    for block in blocks(body):
        parser.write(block)
    parser.finalize()
    return read_fields, read_files
