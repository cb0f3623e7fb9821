"""Detecting whether bytes are text, and in which encoding."""

import io
import re
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.uploads.encoding import BLOCK
from numberdrop.files.uploads.text import MAX_LINE_LENGTH, open_text
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.uploads import clean, refused_with

FIRST = "+12025550101"
SECOND = "+12025550102"


def text_of(upload: bytes) -> str:
    return "".join(open_text(io.BytesIO(upload)).blocks())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_common_encodings(encoding: str) -> None:
    assert text_of("Müller, 5 €\r\n".encode(encoding)) == "Müller, 5 €\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_byte_order_mark(encoding: str) -> None:
    assert text_of(f"名前,phone\n{FIRST}\n".encode(encoding)) == f"名前,phone\n{FIRST}\n"


NAMES = {
    "gb18030": "姓名 张三 李四 王五 北京 上海 广州 深圳",
    "big5": "姓名 陳大文 林小姐 台北 高雄 王先生 新竹",
    "cp932": "氏名 山田 佐藤 東京 大阪 鈴木 タナカ ポール",
    "cp949": "이름 서울 부산 김철수 이영희 박민수 대구",
    "cp1251": "Имя Иванов Москва Смирнова Ольга Новосибирск Кузнецов",
    "koi8_r": "Имя Иванов Москва Смирнова Ольга Новосибирск Кузнецов",
    "cp1253": "Παπαδόπουλος Αθήνα Μαρία Θεσσαλονίκη Γιώργος",
    "cp1256": "الاسم أحمد ليلى محمد الرياض فاطمة يوسف",
    "cp874": "สมชาย กรุงเทพ ชื่อ เชียงใหม่ สมหญิง",
    "cp1252": "Müller Schäfer François Muñoz Gonçalves Ærø Renée",
}
"""Words in the languages that are written in an encoding."""


@pytest.mark.parametrize("encoding", NAMES)
def test_an_encoding_is_detected_by_its_words(encoding: str) -> None:
    names = NAMES[encoding].split()
    table = "".join(f"{name},{FIRST[:-2]}{number:02},{name}\n" for number, name in enumerate(names * 3))

    assert text_of(table.encode(encoding)) == table


def test_an_encoding_is_detected_far_down_the_file() -> None:
    table = f"{FIRST},x\n" * (BLOCK // len(FIRST)) + "".join(
        f"{FIRST},{n}\n" for n in NAMES["gb18030"].split()
    )

    assert text_of(table.encode("gb18030")) == table


def test_an_encoding_that_is_only_likely_is_called_uncertain() -> None:
    uncertain = open_text(io.BytesIO("Zoé;1\n".encode("cp1252")))

    assert uncertain.encoding_in_words == "cp1252, not certain"


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.binary(max_size=12), st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)), max_size=9
    )
)
def test_a_wrong_encoding_never_changes_a_digit(rows: list[tuple[bytes, str]]) -> None:
    """Any bytes may stand beside the numbers, as names do in an encoding that nobody knows."""
    lines = [re.sub(rb"[\x00-\x1f\x7f\"]", b"", name) + b"\n" + number.encode() for name, number in rows]
    text = ""
    # Some bytes are not text in any encoding.
    with suppress(JobFailedError):
        text = text_of(b"number\n" + b"\n".join(lines))

    assert not text or text.split("\n")[2::2] == [number for _, number in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_control_z_at_the_end_is_dropped(encoding: str) -> None:
    assert text_of("Zoé\r\n\x1a".encode(encoding)) == "Zoé\n"
    assert text_of("Zoé\x1a\x1a\x1a".encode(encoding)) == "Zoé\n"


def test_control_z_inside_a_guessed_text_is_refused() -> None:
    assert refused_with("Zoé\x1a\n1\n".encode("cp1252")) is ReasonCode.NOT_TEXT


@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
def test_the_last_line_ends_like_the_others(end: str) -> None:
    assert text_of(f"one\r\ntwo{end}".encode()) == "one\ntwo\n"


def test_the_encoding_is_detected_at_the_end_of_the_file_too() -> None:
    numbers = f"{FIRST}\n" * (3 * BLOCK // len(FIRST))

    assert text_of(numbers.encode() + "Müller".encode("cp1252")) == f"{numbers}Müller\n"
    assert text_of(numbers.encode() + "Müller".encode()) == f"{numbers}Müller\n"


@pytest.mark.slow
@given(st.text(st.characters(exclude_characters="\r\n\0\x1a", exclude_categories=["Cs"])), st.integers(0, 9))
def test_text_across_blocks_stays_whole(text: str, padding: int) -> None:
    lines = "\n" * (BLOCK - padding) + text

    assert text_of(lines.encode()).strip("\n") == text


@pytest.mark.parametrize("kind", InputKind)
@pytest.mark.parametrize(
    "upload",
    [
        FIRST.encode("utf-32"),
        b"\x00\x00\xfe\xff" + FIRST.encode("utf-32-be"),
        b"\xff\xfe" + FIRST.encode("utf-16-le") + b"\x00",
        b"\xff\xfe" + FIRST.encode("utf-16-le") + b"\x00\xd8\x00\x00",
        b"PK\x03\x04" + FIRST.encode(),
        b"PK\x05\x06" + FIRST.encode(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a\n" + FIRST.encode(),
        b"%PDF-1.7\n" + FIRST.encode(),
        b"{\\rtf1\n" + FIRST.encode(),
        FIRST.encode() + b"\n\0\n",
        FIRST.encode() + b"\n\xe9\x07\n",
        FIRST.encode() + b"\n\x81\n",
        pytest.param(b"\n" * 2 * BLOCK + b"\x00", marks=pytest.mark.slow),
    ],
)
def test_a_file_that_is_not_text_is_refused(upload: bytes, kind: InputKind) -> None:
    assert refused_with(upload, kind) is ReasonCode.NOT_TEXT


@dataclass
class EndlessLine(io.RawIOBase):
    """A line of 100 MB that is generated while it is read. ``position`` is how far it was read."""

    length: int = 100_000_000
    position: int = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.length - self.position)
        self.position += size
        return b"7" * size


def test_a_line_of_100_mb_is_refused_before_it_fills_memory() -> None:
    source = EndlessLine()

    with pytest.raises(JobFailedError) as failure:
        next(open_text(source).blocks())  # type: ignore[arg-type]

    assert failure.value.reason.code is ReasonCode.NOT_TEXT
    assert source.position <= 2 * BLOCK


@pytest.mark.parametrize(
    "upload",
    [
        f"{FIRST}\n{'7' * (MAX_LINE_LENGTH + 1)}\n{SECOND}\n",
        pytest.param("\n" * BLOCK + "7" * 70_000, marks=pytest.mark.slow),
    ],
)
def test_a_long_line_among_others_is_refused(upload: str) -> None:
    assert refused_with(upload) is ReasonCode.NOT_TEXT


def test_a_line_of_the_longest_length_is_only_rejected() -> None:
    assert clean(f"{FIRST}\n{'7' * MAX_LINE_LENGTH}\n").counts.rejected == 1
