"""Address of the topic, which SNS wants whole, and of which the settings know only the name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_sts import STSClient


class TopicAddress:
    """ARN of the topic in the account of the credentials.

    STS names the account, which needs no permission. It is asked once; two threads may ask at the same time,
    and get the same answer. Errors of botocore are left to the caller, who knows what the address is for.
    """

    def __init__(self, sts: "STSClient", *, partition: str, region: str, name: str) -> None:
        self._sts = sts
        self._partition = partition
        self._region = region
        self.name = name
        self._arn: str | None = None

    @property
    def arn(self) -> str:
        """ARN of the topic, whether it exists or not."""
        if self._arn is None:
            account = self._sts.get_caller_identity()["Account"]
            self._arn = f"arn:{self._partition}:sns:{self._region}:{account}:{self.name}"
        return self._arn
