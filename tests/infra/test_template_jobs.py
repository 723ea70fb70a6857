"""Facts about what drives the functions that nobody waits for, and about their alarms."""

from datetime import timedelta

import pytest

from chalicelib import observe
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.services.platform.heartbeats import log_overdue_jobs
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.leases import LEASE_DURATION
from infra.bundle.template import list_resources_of_type
from tests.support.factories import NOON

SCHEDULES = {
    "Relay": ScheduledJob.RELAY,
    "Notices": ScheduledJob.NOTICES,
    "Clocks": ScheduledJob.CLOCKS,
    "Digest": ScheduledJob.DIGEST,
    "Checkpoints": ScheduledJob.CHECKPOINTS,
}


def function(template, name):
    return template["Resources"][name]["Properties"]


def test_every_job_has_a_schedule():
    """And a name under which it leaves its heartbeat."""
    assert set(SCHEDULES.values()) == set(ScheduledJob)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_failed_run_is_kept(template, name):
    """Whether the function failed or was never reached, the event lands in a queue."""
    properties = function(template, name)
    queue = {"Fn::GetAtt": ["FailedRuns", "Arn"]}
    (schedule,) = properties["Events"].values()

    destination = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert destination == {"Type": "SQS", "Destination": queue}
    assert schedule["Properties"]["DeadLetterConfig"] == {"Arn": queue}


@pytest.mark.parametrize(("name", "job"), SCHEDULES.items())
def test_a_schedule_keeps_the_pace_that_its_heartbeat_is_judged_by(template, name, job):
    """The period is said once, in the domain."""
    (schedule,) = function(template, name)["Events"].values()

    minutes = JOB_PERIODS[job].total_seconds() / 60
    assert schedule["Properties"]["Schedule"] == f"rate({minutes:.0f} minutes)"


def test_an_unsent_task_is_found_within_fifteen_minutes():
    """Even if a function died over it and the next sweep was lost as well."""
    assert LEASE_DURATION + 2 * JOB_PERIODS[ScheduledJob.RELAY] <= timedelta(minutes=15)


def test_silence_raises_an_alarm(template):
    """The relay tells which job is overdue; if it does not, it is overdue itself."""
    alarm = template["Resources"]["JobsSilent"]["Properties"]

    assert alarm["Period"] * alarm["EvaluationPeriods"] == (2 * JOB_PERIODS[ScheduledJob.RELAY].total_seconds())
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize(("alarm", "count"), [("JobsSilent", "overdue"), ("TasksWereParked", "parked")])
def test_what_the_relay_counts_is_what_an_alarm_looks_at(template, stores, monkeypatch, alarm, count):
    """The line that it logs, the filter that finds it, and the metric that the alarm names."""
    lines = []
    monkeypatch.setattr(type(observe.log), "info", lambda _, event, **fields: lines.append((event, fields)))
    log_overdue_jobs(context=RunContext(stores, NOON))
    [(message, fields)] = lines
    looks_at = template["Resources"][alarm]["Properties"]
    [(told, pattern)] = [
        (made, each["Properties"]["FilterPattern"])
        for each in list_resources_of_type(template, "AWS::Logs::MetricFilter").values()
        for made in each["Properties"]["MetricTransformations"]
        if made["MetricName"] == looks_at["MetricName"]
    ]

    assert told["MetricNamespace"] == looks_at["Namespace"]
    assert told["MetricValue"] == f"$.counts.{count}"
    assert fields["counts"][count] == 0
    assert pattern == f'{{ $.message = "{message}" }}'


def test_the_stream_hands_over_new_rows_by_their_keys(template):
    """What a claim or a mark changes drives nothing, and no row lies about in the stream."""
    (source,) = function(template, "Outbox")["Events"].values()
    table = template["Resources"]["OutboxTable"]["Properties"]

    assert source["Properties"]["Stream"] == {"Fn::GetAtt": ["OutboxTable", "StreamArn"]}
    assert source["Properties"]["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_nothing_blocks_the_stream(template):
    """A batch is tried twice more, in halves; after five minutes the sweep has found its rows."""
    (source,) = function(template, "Outbox")["Events"].values()
    properties = source["Properties"]

    assert properties["BisectBatchOnFunctionError"] is True
    assert properties["MaximumRetryAttempts"] == 2
    assert properties["MaximumRecordAgeInSeconds"] == JOB_PERIODS[ScheduledJob.RELAY].total_seconds()
    assert properties["StartingPosition"] == "TRIM_HORIZON"
