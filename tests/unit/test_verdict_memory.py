"""What the verdict memory recalls, learns and forgets, and how it reads its runs."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from io import BytesIO

import pytest

from numberdrop.jobs.checkers import checkers
from numberdrop.memory.errors import MemoryUnreadableError, ObjectGoneError, RecalledMissingError
from numberdrop.memory.memory import Recollection, VerdictMemory, clear
from numberdrop.memory.merging import Merger
from numberdrop.memory.stamps import checked_on, verdict_of
from numberdrop.memory.store import StoredObject, listing
from tests.support.memory_store import InMemoryStore

DAY = date(2026, 3, 4)
ENTRIES = [f"+4477009{number:05}" for number in range(200)]


def memory_in(store: InMemoryStore, *, yes_days: int = 90, no_days: int = 30) -> VerdictMemory:
    return VerdictMemory(store, b"key", yes_days=yes_days, no_days=no_days)


def learn(memory: VerdictMemory, entries: list[str], word: str, name: str = "job1", day: date = DAY) -> None:
    assert memory.learn("band", name, day, [(entries, [word] * len(entries))]) == len(set(entries))


def recall(
    memory: VerdictMemory,
    entries: list[str],
    *,
    min_rows: int = 0,
    max_age_days: int | None = None,
    day: date = DAY,
) -> tuple[Recollection, list[str]]:
    numbers, rest = BytesIO("".join(f"{entry}\n" for entry in entries).encode()), BytesIO()
    found = memory.recall("band", numbers, rest, today=day, min_rows=min_rows, max_age_days=max_age_days)
    sent = rest.getvalue().decode().split()
    assert found.sent == len(sent)
    assert found.sent + found.remembered == len(entries)
    return found, sent


# Recalling


def test_only_unknown_entries_are_sent_in_their_order() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[50:60], "yes")
    found, sent = recall(memory, ENTRIES[:100])
    assert (found.remembered, found.refreshed) == (10, 0)
    assert sent == ENTRIES[:50] + ENTRIES[60:100]


def test_checkers_do_not_share_what_they_remember() -> None:
    store = InMemoryStore()
    memory_in(store).learn("bandit", "job1", DAY, [(ENTRIES, ["yes"] * len(ENTRIES))])
    found, _ = recall(memory_in(store), ENTRIES)
    assert found.remembered == 0


@pytest.mark.parametrize(("word", "days"), [("yes", 90), ("no", 30)])
def test_a_verdict_counts_for_its_own_days(word: str, days: int) -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES, word)
    last, after = (recall(memory, ENTRIES, day=DAY + timedelta(days=days + more))[0] for more in (-1, 0))
    assert (last.remembered, after.remembered) == (len(ENTRIES), 0)


@pytest.mark.parametrize(("max_age_days", "remembered"), [(0, 0), (5, 0), (6, 200), (400, 200)])
def test_older_answers_than_the_user_accepts_are_not_used(max_age_days: int, remembered: int) -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES, "yes")
    found, _ = recall(memory, ENTRIES, max_age_days=max_age_days, day=DAY + timedelta(days=5))
    assert found.remembered == remembered


@pytest.mark.parametrize("word", ["unknown", None, "YES", ""])
def test_only_yes_and_no_are_learnt(word: str | None) -> None:
    store = InMemoryStore()
    assert memory_in(store).learn("band", "job1", DAY, [(ENTRIES, [word] * len(ENTRIES))]) == 0
    assert not store.contents


def test_a_newer_no_replaces_a_yes_though_no_never_counts() -> None:
    memory = memory_in(InMemoryStore(), no_days=0)
    learn(memory, ENTRIES, "yes")
    learn(memory, ENTRIES[:50], "no", "job2", DAY + timedelta(days=1))
    found, sent = recall(memory, ENTRIES, day=DAY + timedelta(days=1))
    assert found.remembered == 150
    assert sent == ENTRIES[:50]


def test_the_same_job_writes_the_same_object_again() -> None:
    store = InMemoryStore()
    learn(memory_in(store), ENTRIES, "yes")
    before = dict(store.contents)
    learn(memory_in(store), ENTRIES[::-1], "yes")
    assert store.contents == before


# Filling a batch up


def test_a_batch_below_the_minimum_takes_the_oldest_entries() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:80], "yes")
    learn(memory, ENTRIES[80:160], "yes", "job2", DAY - timedelta(days=3))
    found, sent = recall(memory, ENTRIES, min_rows=100)
    assert (found.sent, found.refreshed, found.remembered) == (110, 70, 90)
    assert sent == ENTRIES[80:150] + ENTRIES[160:]


def test_a_batch_just_above_the_minimum_is_filled_up() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:100], "yes")
    found, _ = recall(memory, ENTRIES, min_rows=100)
    assert (found.sent, found.refreshed) == (110, 10)


def test_a_batch_well_above_the_minimum_is_not_filled_up() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:90], "yes")
    found, _ = recall(memory, ENTRIES, min_rows=100)
    assert (found.sent, found.refreshed) == (110, 0)


def test_nothing_is_filled_up_if_nothing_has_to_be_sent() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES, "no")
    found, _ = recall(memory, ENTRIES, min_rows=100)
    assert (found.sent, found.remembered) == (0, len(ENTRIES))


def test_a_small_upload_is_sent_whole_if_it_cannot_be_filled_up() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:20], "yes")
    found, sent = recall(memory, ENTRIES[:50], min_rows=100)
    assert (found.sent, found.remembered) == (50, 0)
    assert sent == ENTRIES[:50]


# What a job recalled


def test_collect_sees_what_submit_saw_though_it_was_erased() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:50], "yes")
    learn(memory, ENTRIES[50:60], "no", "job2", DAY - timedelta(days=3))
    found, _ = recall(memory, ENTRIES)
    key = memory.freeze(found, "job3-token")
    memory.forget("band", "erasure", DAY, ENTRIES)
    assert key
    stamps = memory.recalled(key).stamps([ENTRIES[55], ENTRIES[0], ENTRIES[100], ENTRIES[0]])
    assert [(verdict_of(stamp), checked_on(stamp)) for stamp in stamps if stamp] == [
        ("no", DAY - timedelta(days=3)),
        ("yes", DAY),
        ("yes", DAY),
    ]
    assert stamps[2] == 0


def test_refreshed_entries_are_frozen_too() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES[:50], "yes")
    found, _ = recall(memory, ENTRIES, min_rows=160)
    key = memory.freeze(found, "job3-token")
    assert found.refreshed == 26
    assert key
    assert all(memory.recalled(key).stamps(ENTRIES[:50]))


def test_nothing_is_frozen_if_nothing_is_recalled() -> None:
    store = InMemoryStore()
    found, _ = recall(memory_in(store), ENTRIES)
    assert memory_in(store).freeze(found, "job1-token") is None
    assert not store.contents


def test_missing_recalled_answers_are_an_error_and_not_a_no() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, ENTRIES, "yes")
    key = memory.freeze(recall(memory, ENTRIES)[0], "job2-token")
    assert key
    del store.contents[key]
    with pytest.raises(RecalledMissingError):
        memory.recalled(key)


def test_entries_are_compared_by_their_keys() -> None:
    def lower(entries: list[str]) -> list[str]:
        return [entry.lower() for entry in entries]

    memory = memory_in(InMemoryStore())
    memory.learn("gmail", "job1", DAY, [(["Jane@example.com"], ["yes"])], lower)
    numbers = BytesIO(b"jane@EXAMPLE.com\njoe@example.com\n")
    found = memory.recall("gmail", numbers, BytesIO(), today=DAY, min_rows=0, keys_of=lower)
    key = memory.freeze(found, "job2-token")
    assert key
    assert [bool(stamp) for stamp in memory.recalled(key, lower).stamps(["JANE@example.com", "joe"])] == [
        True,
        False,
    ]


# Forgetting


def test_an_erased_entry_is_hidden_and_can_be_learnt_later() -> None:
    memory = memory_in(InMemoryStore())
    learn(memory, ENTRIES, "yes")
    assert memory.forget("band", "erasure", DAY, ENTRIES[:2]) == 2
    assert recall(memory, ENTRIES)[1] == ENTRIES[:2]
    learn(memory, ENTRIES[:1], "yes", "job2", DAY + timedelta(days=1))
    assert recall(memory, ENTRIES, day=DAY + timedelta(days=1))[1] == ENTRIES[1:2]


def test_a_job_that_was_sent_before_an_erasure_does_not_undo_it() -> None:
    memory = memory_in(InMemoryStore())
    memory.forget("band", "erasure", DAY, ENTRIES)
    learn(memory, ENTRIES, "yes", day=DAY - timedelta(days=2))
    assert recall(memory, ENTRIES)[0].remembered == 0


def test_the_next_full_merge_removes_an_erased_verdict() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, ENTRIES, "yes")
    memory.forget("band", "erasure", DAY, ENTRIES[:2])
    store.now += timedelta(days=28)
    merged = Merger(store, 90).merge("band", store.now)
    (run, _) = listing(store, "band").runs[0]
    assert (merged.runs, merged.dropped, run.records) == (2, 2, 200)


def test_clearing_hides_what_a_running_job_learns_later() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, ENTRIES, "yes")
    assert clear(store, "band", DAY) == 1
    assert [key for key in store.contents if "cleared" not in key] == []
    learn(memory, ENTRIES, "yes", "job2", DAY)
    assert recall(memory, ENTRIES)[0].remembered == 0
    learn(memory, ENTRIES[:7], "yes", "job3", DAY + timedelta(days=1))
    assert recall(memory, ENTRIES, day=DAY + timedelta(days=1))[0].remembered == 7


# Merging


def test_few_runs_are_left_alone_and_many_are_merged() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    for number in range(16):
        learn(memory, ENTRIES[: number + 1], "yes", f"job{number}")
    assert Merger(store, 90).merge("band", store.now).runs == 0
    learn(memory, ENTRIES, "no", "job16")
    assert Merger(store, 90).merge("band", store.now).runs == 17
    assert len(listing(store, "band").runs) == 1
    assert recall(memory, ENTRIES)[0].remembered == 200


def test_small_runs_are_not_merged_into_a_much_larger_one() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, [f"+4478{number:08}" for number in range(5000)], "yes", "large")
    for number in range(16):
        learn(memory, ENTRIES[:20], "yes", f"job{number}")
    assert Merger(store, 90).merge("band", store.now).runs == 16
    assert [run.records for run, _ in listing(store, "band").runs] == [20, 5000]


def test_a_full_merge_removes_expired_verdicts_and_then_the_run() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, ENTRIES[:50], "no")
    learn(memory, ENTRIES[50:], "yes", "job2", DAY + timedelta(days=60))
    store.now += timedelta(days=100)
    assert Merger(store, 90).merge("band", store.now).dropped == 50
    store.now += timedelta(days=100)
    assert Merger(store, 90).merge("band", store.now).dropped == 150
    assert not store.contents


# Reading


def test_small_runs_are_read_by_one_request_each() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    for number in range(12):
        learn(memory, ENTRIES, "yes", f"job{number}")
    recall(memory, ENTRIES)
    assert len(store.reads) == 12


def test_a_few_entries_do_not_need_all_of_a_large_run() -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, [f"+4478{number:08}" for number in range(200_000)], "yes", "large")
    recall(memory, ["+447800000001", "+447800199999"])
    assert len(store.reads) <= 3
    assert sum(size for _, size in store.reads) < 60_000


class _Vanishing(InMemoryStore):
    listings = 0

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        self.listings += 1
        return super().objects(prefix)

    def read(self, key: str, start: int, end: int) -> bytes:
        raise ObjectGoneError


def test_runs_that_vanish_again_and_again_make_it_unreadable() -> None:
    store = _Vanishing()
    learn(memory_in(store), ENTRIES, "yes")
    with pytest.raises(MemoryUnreadableError, match="runs vanish"):
        recall(memory_in(store), ENTRIES)
    assert store.listings == 5


@pytest.mark.parametrize("position", [5, -3])
@pytest.mark.parametrize("use", ["recall", "merge", "recalled"])
def test_altered_bytes_are_noticed(use: str, position: int) -> None:
    store = InMemoryStore()
    memory = memory_in(store)
    learn(memory, ENTRIES, "yes")
    key = memory.freeze(recall(memory, ENTRIES)[0], "job2-token")
    assert key
    for stored in store.contents:
        content = bytearray(store.contents[stored])
        content[position] ^= 1
        store.contents[stored] = bytes(content)
    uses: dict[str, Callable[[], object]] = {
        "recall": partial(recall, memory, ENTRIES),
        "merge": partial(Merger(store, 90).merge, "band", store.now + timedelta(days=28)),
        "recalled": partial(memory.recalled, key),
    }
    with pytest.raises(MemoryUnreadableError, match="checksum"):
        uses[use]()


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "cleared-soon", "cleared-2026-13-01", "000000000001-000000000000-08-2026-13-01-job1"],
)
def test_an_object_that_is_not_a_run_makes_it_unreadable(name: str) -> None:
    key = f"runs/band/{name}"
    with pytest.raises(MemoryUnreadableError, match="unknown kind of object"):
        recall(memory_in(InMemoryStore({key: b""}, {key: InMemoryStore.now})), ENTRIES)


# Privacy


def test_neither_numbers_nor_the_key_are_stored_or_shown() -> None:
    store = InMemoryStore()
    memory = VerdictMemory(store, b"a very secret key", yes_days=1, no_days=1)
    learn(memory, ENTRIES, "yes")
    memory.freeze(recall(memory, ENTRIES)[0], "job2-token")
    stored = b"".join([*store.contents.values(), *(key.encode() for key in store.contents)])
    assert not any(entry[1:].encode() in stored for entry in ENTRIES)
    assert b"secret" not in stored
    assert "secret" not in repr(memory)


def test_sensitive_and_undocumented_checkers_are_not_remembered() -> None:
    remembered = {checker.name for checker in checkers().values() if checker.may_be_remembered}
    assert {"band", "phoneCheck", "amazon_email"} <= remembered
    assert not remembered & {"wa-deep", "wa-avatar", "ws_avatar", "max_full", "ws_active", "wa-detail"}
