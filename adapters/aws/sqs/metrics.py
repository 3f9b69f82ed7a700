"""Age of a queue's oldest message, which only CloudWatch reports, not SQS itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.aws.errors import translate_infrastructure_errors
from domain.model.clock import utc_now
from domain.model.errors import InfrastructureError
from domain.model.route.status import QueueLoad

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient

WINDOW = timedelta(minutes=15)
"""Time span that is read: a queue's metrics come once a minute, some minutes late."""
PERIOD_SECONDS = 60


class QueueMetrics:
    """Reads `ApproximateAgeOfOldestMessage` from CloudWatch; receives nothing."""

    def __init__(self, cloudwatch: "CloudWatchClient", *, now: Callable[[], datetime] = utc_now) -> None:
        self._cloudwatch = cloudwatch
        self._now = now

    def with_age(self, load: QueueLoad, queue: str) -> QueueLoad:
        """Add the age of the oldest message to the load, or the reason why it is not known."""
        if load.is_empty:
            return load
        try:
            with translate_infrastructure_errors(f"reading the metrics of the queue {queue}"):
                seconds = self._newest(queue)
        except InfrastructureError as error:
            return load._replace(not_known_because=str(error))
        if seconds is None:
            return load._replace(not_known_because="CloudWatch has no figure of the last 15 minutes yet")
        return load._replace(oldest_seconds=seconds)

    def _newest(self, queue: str) -> float | None:
        now = self._now()
        answer = self._cloudwatch.get_metric_data(
            StartTime=now - WINDOW,
            EndTime=now,
            ScanBy="TimestampDescending",
            MetricDataQueries=[
                {
                    "Id": "age",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateAgeOfOldestMessage",
                            "Dimensions": [{"Name": "QueueName", "Value": queue}],
                        },
                        "Period": PERIOD_SECONDS,
                        "Stat": "Maximum",
                    },
                }
            ],
        )
        values = [value for result in answer["MetricDataResults"] for value in result.get("Values", ())]
        return values[0] if values else None
