"""Mutants of what the pipeline does with the verdict memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from numberdrop.aws.fences import Fence, Fences
from numberdrop.files.results.sources import Sources
from numberdrop.jobs.job import Job
from numberdrop.jobs.upload import Upload
from numberdrop.steps.recalling import Recaller
from numberdrop.steps.remembering import Rememberer
from numberdrop.steps.upload_rules import PreparedUpload
from tests.support.crash.wiring import Wiring


class _TokenlessRecaller(Recaller):
    def _name(self, upload: Upload, token: str) -> str:
        return upload.job_id


class NamesRecalledAnswersWithoutTheToken(Wiring):
    recaller_class = _TokenlessRecaller


class StampsTheDayOfTheCollection(Wiring):
    def _rememberer(self) -> Rememberer | None:
        now = self.now

        class TardyRememberer(Rememberer):
            def _day(self, job: Job) -> date | None:
                return now().date()

        return TardyRememberer(self._memory, self.sleep) if self.remembers else None


class _HastyRememberer(Rememberer):
    def sources(self, job: Job, *, may_wait: bool) -> Sources | None:
        return super().sources(job, may_wait=False)


class DoesNotWaitForTheMemory(Wiring):
    rememberer_class = _HastyRememberer


class _ForgetfulRecaller(Recaller):
    def recall(
        self, prepared: PreparedUpload, upload: Upload, token: str, metadata: Mapping[str, str]
    ) -> PreparedUpload:
        return replace(super().recall(prepared, upload, token, metadata), recalled=None)


class DoesNotNameTheRecalledAnswers(Wiring):
    recaller_class = _ForgetfulRecaller


class _BlindFences(Fences):
    def check(self, job: Job) -> Fence | None:
        return self.find(job.job_id)


class AnswersDespiteAForgottenCharge(Wiring):
    fences_class = _BlindFences


MEMORY_MUTANTS: Mapping[type[Wiring], tuple[str, ...]] = {
    NamesRecalledAnswersWithoutTheToken: ("an_upload_while_the_memory_changes",),
    StampsTheDayOfTheCollection: ("an_upload_collected_on_the_next_day",),
    DoesNotWaitForTheMemory: ("an_upload_whose_remembered_answers_are_withheld",),
    DoesNotNameTheRecalledAnswers: ("overlapping_uploads",),
    AnswersDespiteAForgottenCharge: ("a_table_restored_to_before_a_remembered_upload",),
}
