"""The metrics that the product writes, read as CloudWatch reads them."""

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch

NAMESPACE = "cart-metrics"


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A line in CloudWatch's embedded metric format: its metrics, their units and their dimensions."""

    values: Mapping[str, Sequence[float]]
    units: Mapping[str, str]
    dimensions: Mapping[str, str]


@contextlib.contextmanager
def record_metrics() -> Iterator[io.StringIO]:
    """Let the product write metrics as in production, and record what it writes."""
    output = io.StringIO()
    settings = {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE, "POWERTOOLS_METRICS_DISABLED": "false"}
    write = partial(print, file=output)
    with patch.dict(os.environ, settings), patch.object(cloudwatch, "print", write, create=True):
        yield output


def parse_metrics(text: str) -> list[MetricLine]:
    """Parse lines strictly: every key is explained by the directive of the line, and no other text is allowed.

    Source: CloudWatch user guide, "Specification: Embedded metric format" (read 2026-11).
    """
    return [_parse_line(json.loads(line)) for line in text.splitlines()]


def _parse_line(line: dict[str, object]) -> MetricLine:
    directive = line.pop("_aws")
    assert isinstance(directive, dict)
    assert directive.keys() == {"Timestamp", "CloudWatchMetrics"}
    [metrics] = directive["CloudWatchMetrics"]
    assert metrics.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert metrics["Namespace"] == NAMESPACE
    [names] = metrics["Dimensions"]
    units = {metric["Name"]: metric["Unit"] for metric in metrics["Metrics"]}
    assert line.keys() == {*names, *units}
    values = {name: _parse_values(line[name]) for name in units}
    return MetricLine(values, units, {name: str(line[name]) for name in names})


def _parse_values(values: object) -> list[float]:
    assert isinstance(values, list)
    assert all(type(value) is float for value in values)
    return values


def sum_metrics(text: str) -> dict[str, float]:
    """Add up each metric of the lines, whatever its dimensions."""
    sums: dict[str, float] = {}
    for line in parse_metrics(text):
        for name, values in line.values.items():
            sums[name] = sums.get(name, 0) + sum(values)
    return sums
