"""The list of checkers, and how a key selects one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.jobs.checkers import (
    Checker,
    Family,
    InputKind,
    TaskType,
    checker_for_key,
    checkers,
    found,
    submitted_checker,
    suggestion,
    task_types,
)
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

LISTED = {"New_Thing.v2-x", "NewThing", "max_full"}


def refusal(key: str, *, allow_sensitive: bool = False) -> JobFailedError:
    """Return the error that a key is refused with."""
    with pytest.raises(JobFailedError) as caught:
        checker_for_key(key, allow_sensitive=allow_sensitive, allowed_task_types=LISTED)
    return caught.value


def test_the_first_folder_names_the_checker() -> None:
    assert checker_for_key("band/any/path/file.txt", allow_sensitive=False).name == "band"


@pytest.mark.parametrize("word", ["phonecheck", "PHONECHECK", "phoneCheck", "PhoneCheck"])
def test_checkers_are_found_in_any_case(word: str) -> None:
    assert checker_for_key(f"{word}/file.txt", allow_sensitive=False).task_type == "phoneCheck"


def test_a_v1_checker_uses_the_common_path_and_its_task_type() -> None:
    band = checkers()["band"]
    assert (band.family, band.path, band.task_type) == (Family.V1, "/v1/tasks", "band")


def test_a_legacy_checker_has_its_own_path() -> None:
    deep = checkers()["wa-deep"]
    assert (deep.family, deep.path) == (Family.LEGACY, "/wa/api/deep/tasks")
    assert deep.task_type == deep.path


def test_legacy_checkers_are_named_after_their_paths() -> None:
    for checker in checkers().values():
        if checker.family is Family.LEGACY:
            service, tier = checker.name.split("-")
            assert checker.path == f"/{service}/api/{tier}/tasks"


def test_the_checkers_of_the_vendors_main_pages_are_listed() -> None:
    assert {"band", "phonecheck", "wa-deep"} <= checkers().keys()


def test_every_listed_checker_is_documented_and_accepts_rows() -> None:
    for checker in checkers().values():
        assert checker.documented_by in {"page", "openapi", "readme"}
        assert 0 <= checker.min_rows < checker.max_rows <= 10_000_000


def test_e_mail_checkers_take_e_mail_addresses() -> None:
    email_checkers = {name for name, checker in checkers().items() if checker.input is InputKind.EMAIL}
    assert email_checkers == {name for name in checkers() if name.endswith("_email") or name == "email_check"}


def test_phone_check_takes_numbers_as_written() -> None:
    assert checkers()["phonecheck"].input is InputKind.AS_WRITTEN


@pytest.mark.parametrize(
    ("folder", "hint"),
    [
        ("bandit", "Did you mean band? "),
        ("WhatsApp", "Did you mean ws, ws_active, "),
        ("whats-app", "Did you mean ws, ws_active, "),
        ("Instagram", "Did you mean ins-simple, task_type=instagram or task_type=instagram_email? "),
        ("line", "Did you mean task_type=line or task_type=line_senior? "),
        ("telegramm", "Did you mean tg, "),
        ("huobi", "Did you mean htx? "),
    ],
)
def test_an_unknown_checker_gets_a_suggestion(folder: str, hint: str) -> None:
    error = refusal(f"{folder}/file.txt")
    assert error.reason.code is ReasonCode.UNKNOWN_CHECKER
    assert hint in error.reason.message
    assert len(error.reason.message) < 350


@given(st.text())
def test_every_suggestion_is_a_folder_that_works(word: str) -> None:
    hint = suggestion(word)
    folders = re.split(r", | or ", hint.removeprefix("Did you mean ").removesuffix("?")) if hint else []
    for folder in folders:
        assert checker_for_key(f"{folder}/a.txt", allow_sensitive=True).name == folder.split("=")[-1]


def test_every_name_and_brand_is_suggested_for_itself() -> None:
    everything: list[Checker | TaskType] = [*checkers().values(), *task_types()]
    for each in everything:
        assert each.brand
        assert each in found(each.brand, [each])
        assert suggestion(each.brand)


def test_a_checker_that_is_off_is_suggested_last() -> None:
    assert suggestion("whatsapp").startswith("Did you mean ws, ws_active")
    assert "max_full" in suggestion("max")


def test_suggested_task_types_are_undocumented() -> None:
    documented = {checker.name for checker in checkers().values()}
    assert documented.isdisjoint(task_type.name for task_type in task_types())
    for task_type in task_types():
        assert refusal(f"{task_type.folder}/a.txt").reason.code is ReasonCode.CHECKER_NOT_ALLOWED


def test_an_unknown_checker_is_not_quoted() -> None:
    assert "4479460" not in refusal("+447946012345/file.txt").reason.message


def test_a_key_without_a_folder_names_no_checker() -> None:
    assert refusal("band").reason.code is ReasonCode.UNKNOWN_CHECKER


def test_a_key_with_a_leading_slash_names_no_checker() -> None:
    assert refusal("/band/file.txt").reason.code is ReasonCode.UNKNOWN_CHECKER


@pytest.mark.parametrize(
    "name", ["wa-deep", "WA-DEEP", "wa-avatar", "ws_avatar", "max_full", "task_type=max_full"]
)
def test_a_sensitive_checker_must_be_allowed(name: str) -> None:
    error = refusal(f"{name}/file.txt")
    assert error.reason.code is ReasonCode.CHECKER_NOT_ALLOWED
    assert "AllowSensitiveCheckers=true" in error.reason.message
    assert checker_for_key(f"{name}/file.txt", allow_sensitive=True).sensitive


def test_a_sensitive_task_type_is_refused_in_any_case() -> None:
    assert refusal("task_type=MAX_FULL/file.txt").reason.code is ReasonCode.CHECKER_NOT_ALLOWED


@pytest.mark.parametrize("word", ["ws_deep", "tg_age", "ws_avatar2", "BAND", "newthing", "New_Thing"])
def test_an_undocumented_task_type_must_be_listed(word: str) -> None:
    error = refusal(f"task_type={word}/file.txt")
    assert error.reason.code is ReasonCode.CHECKER_NOT_ALLOWED
    assert f"AllowedTaskTypes={word}" in error.reason.message
    assert checker_for_key(f"task_type={word}/file.txt", allow_sensitive=True).task_type == word


@pytest.mark.parametrize("word", ["447700900123", "44-7700-900.123", "7", "x447700900123", "ws_7700900"])
@pytest.mark.parametrize("allow_sensitive", [True, False])
def test_a_number_is_not_a_task_type(word: str, *, allow_sensitive: bool) -> None:
    error = refusal(f"task_type={word}/file.txt", allow_sensitive=allow_sensitive)
    assert error.reason.code is ReasonCode.UNKNOWN_CHECKER
    assert word not in error.reason.message


@pytest.mark.parametrize("word", ["max_full", "ws_deep", "7700900"])
def test_a_submitted_upload_keeps_its_checker(word: str) -> None:
    assert submitted_checker(f"task_type={word}/file.txt").task_type == word


def test_a_listed_task_type_is_sent_verbatim() -> None:
    checker = checker_for_key(
        "task_type=New_Thing.v2-x/file.txt", allow_sensitive=False, allowed_task_types=LISTED
    )
    assert (checker.task_type, checker.path) == ("New_Thing.v2-x", "/v1/tasks")
    assert checker.input is InputKind.AS_WRITTEN


def test_the_task_type_prefix_is_accepted_in_any_case() -> None:
    checker = checker_for_key("Task_Type=NewThing/file.txt", allow_sensitive=True)
    assert checker.task_type == "NewThing"


def test_a_verbatim_documented_task_type_keeps_its_limits() -> None:
    assert checker_for_key("task_type=temu/file.txt", allow_sensitive=False) == checkers()["temu"]


@pytest.mark.parametrize("word", ["", "a b", "a\r\nX-Other: 1", "a\n", "ünicode", "a" * 65, "٣", 'a"b'])
def test_a_task_type_that_could_break_a_form_is_refused(word: str) -> None:
    assert refusal(f"task_type={word}/file.txt").reason.code is ReasonCode.UNKNOWN_CHECKER


def test_the_list_price_is_computed_if_it_is_known() -> None:
    band, unpriced = checkers()["band"], checkers()["mexc_email"]
    assert (band.list_price(123_456), band.list_price(0), band.list_price(None)) == (12.3456, 0, None)
    assert unpriced.list_price(100) is None
