"""Region and account that long-running commands log."""

import logging

import pytest
from moto import mock_aws

from bootstrap.aws.account import AwsPlace, PlaceLookup, place_of
from bootstrap.aws.clients import AwsAccess
from tests.support.harness.service import wait_until


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@mock_aws
def test_region_and_account_are_logged_once_sts_has_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    lookup = PlaceLookup(AwsAccess("eu-central-1"))

    wait_until(lambda: "bootstrap.aws.account" in {each.name for each in caplog.records})
    (record,) = (each for each in caplog.records if each.name == "bootstrap.aws.account")
    assert (record.message, record.__dict__["account"]) == ("working on AWS", "123456789012")
    assert lookup.place == AwsPlace("eu-central-1", "123456789012")


def test_an_sts_out_of_reach_leaves_the_account_unknown_with_the_reason() -> None:
    place = place_of(AwsAccess("eu-central-1", "http://127.0.0.1:9"))

    assert (place.region, place.account) == ("eu-central-1", None)
    assert "EndpointConnectionError: check the network" in str(place)
