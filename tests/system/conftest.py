"""LocalStack for the tests of the whole system."""

from tests.integration.conftest import aws, localstack, names, pytest_collection_modifyitems

__all__ = ["aws", "localstack", "names", "pytest_collection_modifyitems"]
