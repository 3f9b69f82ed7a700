"""Configurations of docs/security.md: documents that can be read, and settings that the service accepts."""

import re
from pathlib import Path

import pytest
import yaml

from bootstrap.settings import Settings

GUIDE = (Path(__file__).parents[3] / "docs" / "security.md").read_text(encoding="utf-8")
SETTINGS = re.findall(r"```ini\n(.*?)```", GUIDE, re.DOTALL)
DOCUMENTS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


class _CloudFormation(yaml.SafeLoader):
    """YAML with the functions of CloudFormation."""


for name in ("!Ref", "!Sub"):
    _CloudFormation.add_constructor(name, lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]  # a scalar each


def environment(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


@pytest.mark.parametrize("text", SETTINGS)
def test_the_service_accepts_the_settings(text: str) -> None:
    assert Settings.from_env(environment(text)).auth.value == environment(text)["AUTH"]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_the_gateways_documents_can_be_read(text: str) -> None:
    assert yaml.load(text, _CloudFormation)  # noqa: S506 - a safe loader


def test_each_gateway_replaces_what_callers_say_of_themselves() -> None:
    oauth2_proxy, api_gateway, envoy = (yaml.load(text, _CloudFormation) for text in DOCUMENTS)  # noqa: S506 - as above

    assert [header["name"] for header in oauth2_proxy["injectRequestHeaders"]] == ["Authorization"]
    assert "preserveRequestValue" not in oauth2_proxy["injectRequestHeaders"][0]
    parameters = api_gateway["Integration"]["Properties"]["RequestParameters"]
    assert {"overwrite:header.X-Tenant-ID", "overwrite:header.X-User-ID"} <= parameters.keys()
    (early,) = envoy["early_header_mutation_extensions"]
    removed = {each["remove"] for each in early["typed_config"]["mutations"]}
    provider = envoy["http_filters"][0]["typed_config"]["providers"]["issuer"]
    assert removed == {"x-tenant-id", "x-user-id"}
    assert removed == {each["header_name"] for each in provider["claim_to_headers"]}
    assert envoy["common_http_protocol_options"] == {"headers_with_underscores_action": "REJECT_REQUEST"}
