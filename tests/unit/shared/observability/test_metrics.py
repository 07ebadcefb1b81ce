"""The metrics' names, labels and meanings are a contract with dashboards and alerts."""

import re

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from shared.observability import metrics

ALL = {name: metric for name, metric in vars(metrics).items() if isinstance(metric, MetricWrapperBase)}
LABELS = {
    "service",
    "topic",
    "partition",
    "route",
    "method",
    "status",
    "cause",
    "reason",
    "channel",
    "template",
    "pool",
    "state",
}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_metric_is_named_explained_and_bounded(name: str) -> None:
    metric = ALL[name]
    assert re.fullmatch(r"treue(_[a-z]+)+", metric._name)
    assert metric._documentation.endswith(".")
    assert set(metric._labelnames) <= LABELS  # never an id: each value makes a series that lives for ever
    assert isinstance(metric, Counter | Gauge | Histogram)


def test_there_are_some() -> None:
    assert len(ALL) > 25
