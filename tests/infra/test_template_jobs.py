"""The schedules, streams, and alarms of the jobs."""

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
    "Slots": ScheduledJob.SLOTS,
}


def get_resource(template, name):
    return template["Resources"][name]["Properties"]


def test_every_job_has_a_schedule():
    assert set(SCHEDULES.values()) == set(ScheduledJob)


@pytest.mark.parametrize(("name", "job"), SCHEDULES.items())
def test_a_schedule_has_the_period_of_its_job_and_a_queue_for_failed_runs(template, name, job):
    """The event is kept if the function fails, and also if EventBridge cannot reach the function."""
    properties = get_resource(template, name)
    queue = {"Fn::GetAtt": ["FailedRuns", "Arn"]}
    schedules = [schedule["Properties"] for schedule in properties["Events"].values()]

    destination = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert destination == {"Type": "SQS", "Destination": queue}
    minutes = JOB_PERIODS[job].total_seconds() / 60
    for schedule in schedules:
        assert schedule["DeadLetterConfig"] == {"Arn": queue}
        assert schedule["Schedule"] == f"rate({minutes:.0f} minutes)"


def test_an_unsent_task_is_sent_within_15_minutes():
    """This holds even if a function crashes on it and the next run of the relay fails."""
    assert LEASE_DURATION + 2 * JOB_PERIODS[ScheduledJob.RELAY] <= timedelta(minutes=15)


def test_missing_log_lines_of_the_relay_raise_an_alarm(template):
    """The relay logs which job is overdue. If it logs nothing, the relay itself is overdue."""
    alarm = template["Resources"]["JobsSilent"]["Properties"]

    assert alarm["Period"] * alarm["EvaluationPeriods"] == (2 * JOB_PERIODS[ScheduledJob.RELAY].total_seconds())
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize(("alarm", "count"), [("JobsSilent", "overdue"), ("TasksWereParked", "parked")])
def test_the_alarm_uses_the_count_that_the_relay_logs(template, stores, monkeypatch, alarm, count):
    """The log line, the metric filter, and the metric of the alarm match."""
    lines = []
    monkeypatch.setattr(type(observe.log), "info", lambda _, event, **fields: lines.append((event, fields)))
    log_overdue_jobs(context=RunContext(stores, NOON))
    [(message, fields)] = lines
    alarm_properties = get_resource(template, alarm)
    [(transformation, pattern)] = [
        (transformation, metric_filter["Properties"]["FilterPattern"])
        for metric_filter in list_resources_of_type(template, "AWS::Logs::MetricFilter").values()
        for transformation in metric_filter["Properties"]["MetricTransformations"]
        if transformation["MetricName"] == alarm_properties["MetricName"]
    ]

    assert transformation["MetricNamespace"] == alarm_properties["Namespace"]
    assert transformation["MetricValue"] == f"$.counts.{count}"
    assert fields["counts"][count] == 0
    assert pattern == f'{{ $.message = "{message}" }}'


def test_the_stream_has_only_the_keys_of_new_rows(template):
    """A changed row does not call the function, and the stream stores no other data of a row."""
    (source,) = get_resource(template, "Outbox")["Events"].values()
    table = template["Resources"]["OutboxTable"]["Properties"]

    assert source["Properties"]["Stream"] == {"Fn::GetAtt": ["OutboxTable", "StreamArn"]}
    assert source["Properties"]["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
    assert table["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_a_failed_batch_does_not_block_the_stream(template):
    """Lambda retries it twice, in halves. After five minutes, the relay has found its rows."""
    (source,) = get_resource(template, "Outbox")["Events"].values()
    properties = source["Properties"]

    assert properties["BisectBatchOnFunctionError"] is True
    assert properties["MaximumRetryAttempts"] == 2
    assert properties["MaximumRecordAgeInSeconds"] == JOB_PERIODS[ScheduledJob.RELAY].total_seconds()
    assert properties["StartingPosition"] == "TRIM_HORIZON"
