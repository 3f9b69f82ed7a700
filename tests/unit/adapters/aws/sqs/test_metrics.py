"""The age of a queue's oldest message from CloudWatch."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from adapters.aws.sqs.metrics import QueueMetrics
from domain.model.route.status import QueueLoad

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOME = QueueLoad(waiting=3, in_flight=1)


@pytest.fixture
def stubber() -> Stubber:
    session: Any = boto3.Session(region_name="eu-central-1", aws_access_key_id="i", aws_secret_access_key="k")
    return Stubber(session.client("cloudwatch"))


def _ages(stubber: Stubber) -> QueueMetrics:
    client: Any = stubber.client
    return QueueMetrics(client, now=lambda: NOW)


def _answer(*values: float) -> dict[str, Any]:
    stamps = [NOW for _ in values]
    return {"MetricDataResults": [{"Id": "age", "Values": list(values), "Timestamps": stamps}]}


def test_the_newest_figure_of_the_queue_counts(stubber: Stubber) -> None:
    expected = {
        "StartTime": datetime(2026, 11, 24, 11, 45, tzinfo=UTC),
        "EndTime": NOW,
        "ScanBy": "TimestampDescending",
        "MetricDataQueries": [
            {
                "Id": ANY,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SQS",
                        "MetricName": "ApproximateAgeOfOldestMessage",
                        "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
        ],
    }
    stubber.add_response("get_metric_data", _answer(120.0, 60.0), expected)
    with stubber:
        assert _ages(stubber).with_age(SOME, "orders") == SOME._replace(oldest_seconds=120.0)


def test_an_empty_queue_is_not_asked_for(stubber: Stubber) -> None:
    with stubber:
        assert _ages(stubber).with_age(QueueLoad(0, 0), "orders") == QueueLoad(0, 0)


def test_no_figure_yet_is_not_known(stubber: Stubber) -> None:
    stubber.add_response("get_metric_data", _answer())
    with stubber:
        load = _ages(stubber).with_age(SOME, "orders")

    assert load.oldest_seconds is None
    assert "no figure of the last 15 minutes" in load.not_known_because


def test_a_missing_permission_is_not_known_and_names_the_operation(stubber: Stubber) -> None:
    stubber.add_client_error("get_metric_data", "AccessDenied", "not authorized to cloudwatch:GetMetricData")
    with stubber:
        load = _ages(stubber).with_age(SOME, "orders")

    assert load.oldest_seconds is None
    assert "AccessDenied at GetMetricData" in load.not_known_because
    assert "cloudwatch:GetMetricData" in load.not_known_because
