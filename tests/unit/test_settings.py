"""Settings are read from the environment and checked."""

from decimal import Decimal

import pytest

from numberdrop.settings import (
    AuditSettings,
    CheckStatusSettings,
    CollectSettings,
    CompactSettings,
    LedgerSettings,
    MemorySettings,
    ReconcileSettings,
    RecordFailureSettings,
    SettingError,
    Settings,
    SubmitSettings,
    VendorSettings,
)

ENVIRONMENT = {
    "JOBS_TABLE": "jobs",
    "EVENT_BUS_NAME": "default",
    "EVENT_SCHEMA_VERSION": "1",
    "API_KEY_SECRET": "arn:aws:secretsmanager:us-east-1:123456789012:secret:key",
    "VENDOR_BASE_URL": "https://vendor.example",
    "VENDOR_USER_ID": "",
    "VENDOR_PROXY": "",
    "UPLOAD_BUCKET": "uploads",
    "UPLOAD_QUEUE_URL": "https://queue.example/uploads",
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:follow",
    "JOB_TIMEOUT_HOURS": "24",
    "ALLOW_SENSITIVE_CHECKERS": "false",
    "ALLOWED_TASK_TYPES": "ws_new, tgNew,",
    "DEFAULT_REGION": "",
    "MAX_USD_PER_UPLOAD": "12.50",
    "MAX_WAIT_SECONDS": "300",
    "RESULTS_BUCKET": "results",
    "RESULT_HOSTS": "storage.example, *.EkycPro.com,",
    "MEMORY_BUCKET": "",
    "MEMORY_KEY_SECRET": "",
    "REMEMBER_YES_DAYS": "0",
    "REMEMBER_NO_DAYS": "0",
    "RETENTION_DAYS": "90",
    "UNRELATED": "ignored",
}

MEMORY = {"MEMORY_BUCKET", "MEMORY_KEY_SECRET", "REMEMBER_YES_DAYS", "REMEMBER_NO_DAYS", "RETENTION_DAYS"}

VENDOR = {
    "JOBS_TABLE",
    "EVENT_BUS_NAME",
    "EVENT_SCHEMA_VERSION",
    "API_KEY_SECRET",
    "VENDOR_BASE_URL",
    "VENDOR_USER_ID",
    "VENDOR_PROXY",
}

NEEDED: dict[type[Settings], set[str]] = {
    LedgerSettings: {"JOBS_TABLE", "EVENT_BUS_NAME", "EVENT_SCHEMA_VERSION"},
    VendorSettings: VENDOR,
    RecordFailureSettings: {"JOBS_TABLE", "EVENT_BUS_NAME", "EVENT_SCHEMA_VERSION", "RESULTS_BUCKET"},
    ReconcileSettings: {
        "JOBS_TABLE",
        "EVENT_BUS_NAME",
        "EVENT_SCHEMA_VERSION",
        "RESULTS_BUCKET",
        "UPLOAD_QUEUE_URL",
        "STATE_MACHINE_ARN",
        "JOB_TIMEOUT_HOURS",
    },
    AuditSettings: {"JOBS_TABLE", "UPLOAD_BUCKET"},
    CheckStatusSettings: VENDOR | {"JOB_TIMEOUT_HOURS", "MAX_WAIT_SECONDS"},
    MemorySettings: MEMORY,
    CompactSettings: MEMORY - {"MEMORY_KEY_SECRET"},
    SubmitSettings: ENVIRONMENT.keys() - MEMORY - {"MAX_WAIT_SECONDS", "RESULT_HOSTS", "UNRELATED"},
    CollectSettings: ENVIRONMENT.keys()
    - MEMORY
    - {
        "UPLOAD_BUCKET",
        "UPLOAD_QUEUE_URL",
        "STATE_MACHINE_ARN",
        "JOB_TIMEOUT_HOURS",
        "ALLOW_SENSITIVE_CHECKERS",
        "ALLOWED_TASK_TYPES",
        "DEFAULT_REGION",
        "MAX_USD_PER_UPLOAD",
        "MAX_WAIT_SECONDS",
        "UNRELATED",
    },
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in ENVIRONMENT.items() if name not in names}


def test_settings_are_converted_to_their_types() -> None:
    settings = SubmitSettings.from_env(ENVIRONMENT)
    assert (settings.job_timeout_hours, settings.allow_sensitive_checkers) == (24, False)
    assert settings.upload_bucket == "uploads"


def test_host_names_are_split_trimmed_and_lowered() -> None:
    assert CollectSettings.from_env(ENVIRONMENT).result_hosts == ("storage.example", "*.ekycpro.com")


def test_sensitive_checkers_are_allowed_by_the_word_true() -> None:
    environment = ENVIRONMENT | {"ALLOW_SENSITIVE_CHECKERS": "true"}
    assert SubmitSettings.from_env(environment).allow_sensitive_checkers is True


def test_task_types_are_split_and_keep_their_case() -> None:
    assert SubmitSettings.from_env(ENVIRONMENT).allowed_task_types == {"ws_new", "tgNew"}


@pytest.mark.parametrize("zero", ["0", "0.00", "-0"])
def test_a_ceiling_of_zero_means_none(zero: str) -> None:
    assert SubmitSettings.from_env(ENVIRONMENT | {"MAX_USD_PER_UPLOAD": zero}).max_usd_per_upload is None
    assert SubmitSettings.from_env(ENVIRONMENT).max_usd_per_upload == Decimal("12.50")


@pytest.mark.parametrize(
    ("days", "lives"),
    [(("0", "0"), (0, 0)), (("365", "30"), (90, 30)), (("0", "7"), (0, 7))],
)
def test_no_verdict_counts_longer_than_results_are_kept(
    days: tuple[str, str], lives: tuple[int, int]
) -> None:
    names = ("REMEMBER_YES_DAYS", "REMEMBER_NO_DAYS")
    settings = MemorySettings.from_env(ENVIRONMENT | dict(zip(names, days, strict=True)))
    assert settings.lives == lives
    assert settings.is_on is any(lives)


def test_a_user_id_may_be_empty() -> None:
    assert VendorSettings.from_env(ENVIRONMENT).vendor_user_id == ""


@pytest.mark.parametrize(
    ("settings", "name"),
    [(settings, name) for settings, names in NEEDED.items() for name in sorted(names)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_missing_variable_is_named(settings: type[Settings], name: str) -> None:
    with pytest.raises(SettingError, match=rf"\b{name}\b"):
        settings.from_env(without(name))


@pytest.mark.parametrize("settings", NEEDED)
def test_only_the_needed_variables_are_read(settings: type[Settings]) -> None:
    needed_only = {name: ENVIRONMENT[name] for name in NEEDED[settings]}
    assert settings.from_env(needed_only) == settings.from_env(ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOB_TIMEOUT_HOURS", ""),
        ("JOB_TIMEOUT_HOURS", "a day"),
        ("JOB_TIMEOUT_HOURS", "1.5"),
        ("MAX_USD_PER_UPLOAD", ""),
        ("MAX_USD_PER_UPLOAD", "-1"),
        ("MAX_USD_PER_UPLOAD", "NaN"),
        ("MAX_USD_PER_UPLOAD", "Infinity"),
        ("ALLOW_SENSITIVE_CHECKERS", ""),
        ("ALLOW_SENSITIVE_CHECKERS", "yes"),
        ("ALLOW_SENSITIVE_CHECKERS", "True "),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name) as caught:
        SubmitSettings.from_env(ENVIRONMENT | {name: value})
    assert caught.value.__cause__ is None


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_TABLE", "jobs-of-the-process")
    monkeypatch.setenv("EVENT_BUS_NAME", "bus")
    monkeypatch.setenv("EVENT_SCHEMA_VERSION", "2")
    assert LedgerSettings.from_env() == LedgerSettings("jobs-of-the-process", "bus", "2")
