"""Random sequences of what people, the vendor and AWS may do, with faults in between."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.support.crash.invariants import violations
from tests.support.crash.maintainer import Maintainer
from tests.support.crash.seam import Mode
from tests.support.crash.vendor import Answer
from tests.support.crash.world import World

KEYS = ("band/a.txt", "band/b.txt", "phoneCheck/c.txt", "no-such-checker/d.txt", "Twitter/e.txt")
DECISIONS: tuple[Callable[[Maintainer], None], ...] = (
    Maintainer.resolve_doubts,
    Maintainer.mark_doubts_not_charged,
    Maintainer.abandon_doubts,
    Maintainer.collect_again,
)


class Uploads(RuleBasedStateMachine):
    """After all problems are solved and the world is idle, the invariants hold, whatever happened before."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.maintainer = Maintainer(self.world)

    @precondition(lambda self: len(self.world.uploads) < 6)
    @rule(key=st.sampled_from(KEYS), versioned=st.booleans())
    def upload_or_overwrite(self, key: str, *, versioned: bool) -> None:
        self.world.upload(key, versioned=versioned)

    @precondition(lambda self: len(self.world.uploads) < 6)
    @rule(key=st.sampled_from(KEYS))
    def upload_without_an_event(self, key: str) -> None:
        self.world.upload(key, announced=False)

    @precondition(lambda self: self.world.uploads)
    @rule(data=st.data())
    def announce_an_upload_again(self, data: st.DataObject) -> None:
        self.world.announce(data.draw(st.sampled_from(self.world.uploads)))

    @rule(seconds=st.sampled_from([1, 12, 60, 400, 2000, 4000]))
    def let_time_pass(self, seconds: int) -> None:
        self.world.run_for(timedelta(seconds=seconds))

    @rule(answer=st.sampled_from(Answer))
    def change_the_next_answer(self, answer: Answer) -> None:
        self.world.vendor.answers.append(answer)

    @rule(has_money=st.booleans())
    def change_the_balance(self, *, has_money: bool) -> None:
        self.world.vendor.has_money = has_money

    @rule(is_down=st.booleans(), fails_posts=st.booleans())
    def begin_or_end_an_outage(self, *, is_down: bool, fails_posts: bool) -> None:
        self.world.vendor.is_down, self.world.vendor.fails_posts = is_down, fails_posts

    @rule(refused=st.sets(st.sampled_from(["band", "phoneCheck"])))
    def change_the_plan(self, refused: set[str]) -> None:
        self.world.vendor.refused_checkers = refused

    @rule(number=st.integers(1, 9))
    def change_the_valid_key(self, number: int) -> None:
        self.world.vendor.key = f"canary-key-{number}"

    @rule()
    def store_valid_key(self) -> None:
        self.maintainer.store_valid_key()

    @rule(fails=st.booleans(), never_finishes=st.booleans())
    def let_tasks_fail_or_never_finish(self, *, fails: bool, never_finishes: bool) -> None:
        self.world.vendor.fails, self.world.vendor.never_finishes = fails, never_finishes

    @rule()
    def stop_executions(self) -> None:
        self.maintainer.stop_executions()

    @rule(decide=st.sampled_from(DECISIONS))
    def decide(self, decide: Callable[[Maintainer], None]) -> None:
        decide(self.maintainer)

    @rule(calls=st.integers(0, 25), mode=st.sampled_from(Mode))
    def break_a_later_call(self, calls: int, mode: Mode) -> None:
        self.world.seam.plan[len(self.world.seam.calls) + calls] = mode

    def teardown(self) -> None:
        self.world.vendor.never_finishes = False
        self.world.vendor.is_down = self.world.vendor.fails_posts = False
        self.world.vendor.refused_checkers = set()
        for upload in self.world.uploads:
            self.world.announce(upload)
        self.maintainer.top_up()
        self.maintainer.store_valid_key()
        self.world.run_until_idle()
        assert violations(self.world) == []
        self.maintainer.resolve_doubts()
        self.world.run_until_idle()
        assert violations(self.world) == []


TestUploads = Uploads.TestCase
TestUploads.settings = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
