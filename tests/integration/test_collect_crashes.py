"""The collect function when it is killed or runs twice: the job completes once, with complete files."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.simulator import Simulator
from numberdrop.aws.buckets import ResultsBucket
from numberdrop.aws.bus import NotAnnouncedError
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from tests.support.account import Account
from tests.support.invocations import Functions, KilledError
from tests.support.outcomes import files_of, job_of


def test_collecting_twice_completes_and_announces_once(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    assert functions.collect(upload)["next"] == "done"
    completed = job_of(account, upload)
    assert functions.collect(upload)["next"] == "done"
    assert job_of(account, upload) == completed
    assert (len(account.events()), len(simulator.downloads)) == (1, 1)


def test_two_concurrent_collections_complete_the_job_once(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = ResultsBucket.put
    overtaken: list[bool] = []

    def put_while_another_completes(*arguments: object) -> None:
        put(*arguments)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(True)
            functions.collect(upload)

    monkeypatch.setattr(ResultsBucket, "put", put_while_another_completes)
    assert functions.collect(upload)["next"] == "done"
    assert job_of(account, upload).state is State.COMPLETED
    assert len(account.events()) == 1


def test_a_collection_killed_before_completing_is_repeated(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.ledger.Ledger.move", killed)
        with pytest.raises(KilledError):
            functions.collect(upload)
    assert (job_of(account, upload).state, account.events()) == (State.SUBMITTED, [])
    assert functions.collect(upload)["next"] == "done"
    assert len(account.events()) == 1


@pytest.mark.parametrize("limit", range(7))
def test_a_collection_killed_between_two_files_is_repeated(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    stored: list[object] = []

    def killed_at_limit(put: Callable[..., None]) -> Callable[..., None]:
        def put_or_be_killed(*arguments: Any, **options: Any) -> None:
            if len(stored) == limit:
                raise KilledError
            stored.append(arguments)
            put(*arguments, **options)

        return put_or_be_killed

    with monkeypatch.context() as patch:
        patch.setattr(ResultsBucket, "put", killed_at_limit(ResultsBucket.put))
        patch.setattr(ResultsBucket, "put_stream", killed_at_limit(ResultsBucket.put_stream))
        with pytest.raises(KilledError):
            functions.collect(upload)
    assert (len(account.stored()), account.events()) == (limit, [])

    assert functions.collect(upload)["next"] == "done"
    files = files_of(account, upload)
    results = {"results.csv", "results.xlsx", "yes.txt", "no.txt"}
    assert files.keys() == {"export.zip", "report.html", "manifest.json"} | results
    described = json.loads(files["manifest.json"])["files"]["export.zip"]
    assert described["sha256"] == hashlib.sha256(files["export.zip"]).hexdigest()
    assert len(account.events()) == 1


def test_a_completion_with_a_refused_event_is_announced_later(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise NotAnnouncedError

    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.bus.Announcer.announce", refused)
        with pytest.raises(NotAnnouncedError):
            functions.collect(upload)
    assert job_of(account, upload).state is State.COMPLETED
    assert functions.collect(upload)["next"] == "done"
    assert len(account.events()) == 1
