"""Clients of S3 that give up soon."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def a_client(url: str | None = None) -> "S3Client":
    """Build a client of moto, or of another server."""
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="made-up",
        config=Config(connect_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1}),
    )
