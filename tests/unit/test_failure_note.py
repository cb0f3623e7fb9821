"""The files of a job that ended without results say what happened and what to do, and name no number."""

import pytest

from numberdrop.jobs.failure_note import failure_text
from numberdrop.jobs.reasons import WORKER_LOST_WHILE_SENDING, Reason, ReasonCode
from numberdrop.jobs.transitions import ENDED_WITHOUT_RESULTS, State
from tests.support.jobs import NOON, a_job, an_upload

TASK_FAILED = Reason(ReasonCode.TASK_FAILED, "The vendor's task failed.")


def test_a_job_in_doubt_says_not_to_upload_again() -> None:
    text = failure_text(a_job(State.IN_DOUBT, reason=WORKER_LOST_WHILE_SENDING, charged=None))
    assert "Do not upload the file again" in text
    assert "numberdrop resolve" in text
    assert "Charged   nobody knows" in text


def test_a_paid_job_can_be_collected_again() -> None:
    text = failure_text(a_job(State.FAILED, reason=TASK_FAILED, charged=True))
    assert "numberdrop collect-again" in text
    assert "do not upload it again" in text


def test_an_unpaid_job_can_be_uploaded_again() -> None:
    text = failure_text(a_job(State.FAILED, reason=TASK_FAILED, charged=False, task_id=None))
    assert "upload the file again" in text
    assert "Task" not in text


@pytest.mark.parametrize("state", sorted(ENDED_WITHOUT_RESULTS))
def test_numbers_in_a_files_name_are_masked(state: State) -> None:
    text = failure_text(a_job(state, upload=an_upload("band/447700900123.txt"), finished_at=NOON))
    assert "447700900123" not in text
    assert "2026" in text
