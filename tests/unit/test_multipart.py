"""The body of an upload: its length is what it says, and it knows whether anything left."""

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
def test_the_length_is_the_number_of_bytes_that_are_read(form: dict[str, str], content: bytes) -> None:
    body = MultipartFile(form, BytesIO(content))
    announced = len(body)
    assert announced == sum(len(block) for block in blocks(body))


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_the_length_holds_where_blocks_end(size: int) -> None:
    body = MultipartFile({"task_type": "band"}, BytesIO(b"7" * size))
    announced = len(body)
    assert announced == sum(len(block) for block in blocks(body))


def test_blocks_stay_small_whatever_is_asked_for() -> None:
    body = MultipartFile({}, BytesIO(b"7" * 3 * BLOCK))
    assert max(len(block) for block in blocks(body)) == BLOCK


@given(fields, st.binary(max_size=500))
def test_a_parser_of_someone_elses_reads_the_same_fields_and_file(
    form: dict[str, str], content: bytes
) -> None:
    body = MultipartFile(form, BytesIO(content))
    read_fields, read_files = parsed(body)
    assert read_fields == form
    assert read_files == {"file": content}


def test_the_file_is_sent_under_a_name_of_no_ones_choosing() -> None:
    assert b'name="file"; filename="numbers.txt"' in b"".join(blocks(MultipartFile({}, BytesIO(b"x"))))


def test_a_file_is_sent_from_where_it_stands() -> None:
    file = BytesIO(b"seen already|the rest")
    file.seek(13)
    body = MultipartFile({}, file)
    announced = len(body)
    content = b"".join(blocks(body))
    assert len(content) == announced
    assert b"\r\n\r\nthe rest\r\n" in content
    assert b"seen already" not in content


def test_nothing_has_started_until_the_first_read() -> None:
    body = MultipartFile({}, BytesIO(b"x"))
    len(body)
    assert not body.started
    body.read()
    assert body.started


def test_a_stop_before_the_first_read_means_that_nothing_was_sent() -> None:
    body = MultipartFile({}, BytesIO(b"x"), before_each_read=stop)
    with pytest.raises(TimeoutError):
        body.read()
    assert not body.started


def test_a_stop_comes_between_two_blocks() -> None:
    reads = count()

    def stop_at_the_second() -> None:
        if next(reads):
            stop()

    body = MultipartFile({}, BytesIO(b"x"), before_each_read=stop_at_the_second)
    body.read()
    with pytest.raises(TimeoutError):
        body.read()


def test_no_two_bodies_share_a_boundary() -> None:
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
