"""Several runs of a job at once, each with several threads: every notice is sent once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from app import app
from chalicelib import wiring
from chalicelib.errors import UnavailableError
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices.outbox_worker import JobFailedError
from chalicelib.store.notices.outbox import ALL_SHARDS, SHARDS, list_shards_of_run
from tests.support import aws_fakes as cloud
from tests.support.factories import CENTER, OTHER_CENTER
from tests.support.mail_helpers import list_mail_rows
from tests.support.stores import list_rows, list_task_rows
from tests.test_functions import HOUR_MS, SCHEDULED

RUNS = 2


@pytest.fixture
def threads(api, monkeypatch):
    """Functions whose runs have four threads."""
    monkeypatch.setenv("JOB_THREADS", "4")
    wiring.get_settings.cache_clear()
    yield
    wiring.get_settings.cache_clear()


def run_relay(number, *, of=RUNS):
    """One of several runs of the relay, called as its rule calls it."""
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: HOUR_MS)
    return app.handler_map["relay"](SCHEDULED | {"detail": {"run": number, "runs": str(of)}}, context)


def run_all_at_once(*numbers):
    """These runs of the relay, at the same time. A run with a failed task counts as one."""
    with ThreadPoolExecutor(len(numbers)) as pool:
        runs = [pool.submit(run_relay, number) for number in numbers]
    errors = [run.exception() for run in runs]
    assert all(error is None or isinstance(error, JobFailedError) for error in errors), errors
    return Counter(sum((Counter(run.result()) for run in runs if not run.exception()), Counter()))


def submit_and_answer(api, *, count=6):
    """Referrals to two centers, each answered by its center: notices to three organizations."""
    for number in range(count):
        center = (CENTER, OTHER_CENTER)[number % 2]
        referral = api.refer(
            center_id=center.tenant_id, patient__family_name=f"Patient{number}", patient__mrn=f"M-{number}"
        )
        api.deliver(referral["referral_id"], "received", center=center)
    return count


def count_mailed_notices():
    """How often each notice was in an email that SES accepted."""
    return Counter(notice_id for row in list_mail_rows() if "message_id" in row for notice_id in row["notice_ids"])


def count_notices():
    """Each notice, once."""
    return Counter(row["notice_id"] for row in list_rows("notices"))


def test_two_runs_with_threads_send_each_notice_once(api, threads):
    """Each has its own shards. Every task is done, and no notice is in two emails.

    An email that one run plans can be in a shard of the other one, which was just done with it.
    """
    submit_and_answer(api)

    run_all_at_once(1, 2)
    run_all_at_once(1, 2)
    left = run_all_at_once(1, 2)

    assert {row["state"] for row in list_task_rows()} == {"done"}
    assert count_mailed_notices() == count_notices()
    assert len(cloud.list_sent_mail()) == sum("message_id" in row for row in list_mail_rows())
    assert left["mails"] == 0


def test_two_runs_of_the_same_shards_send_each_notice_once(api, threads):
    """A rule that is sent twice starts the same run twice."""
    submit_and_answer(api)

    run_all_at_once(1, 1, 2, 2)
    run_all_at_once(1, 2)

    assert {row["state"] for row in list_task_rows()} == {"done"}
    assert count_mailed_notices() == count_notices()


def test_a_mail_service_that_fails_now_and_then_makes_no_copy(api, threads, monkeypatch):
    """Of the threads of a run, some meet the failure and some do not. What failed is sent by a later run."""
    count = submit_and_answer(api)
    real, calls = SesMailer.send, []

    def fail_every_third(self, message, *, tag):
        calls.append(tag)
        if len(calls) % 3 == 0:
            raise UnavailableError
        return real(self, message, tag=tag)

    monkeypatch.setattr(SesMailer, "send", fail_every_third)
    for _ in range(count):
        run_all_at_once(1, 2)

    assert len(calls) > len(cloud.list_sent_mail())
    assert count_mailed_notices() == count_notices()


def test_only_the_first_run_speaks_for_the_job(api):
    """One heartbeat and one measurement, however many runs a job has at once."""
    run_relay(2)
    before = api.stores.heartbeats.list_last_successes()
    run_relay(1)

    assert (len(before), len(api.stores.heartbeats.list_last_successes()) > 0) == (0, True)


@pytest.mark.parametrize("runs", range(1, SHARDS + 1))
def test_the_runs_of_a_job_process_each_shard_once(runs):
    """However many there are."""
    shards = [shard for number in range(1, runs + 1) for shard in list_shards_of_run(number, of=runs)]

    assert sorted(shards) == list(ALL_SHARDS)
