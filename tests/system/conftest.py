"""LocalStack for the tests of the whole system."""

from tests.integration.conftest import localstack, pytest_collection_modifyitems

__all__ = ["localstack", "pytest_collection_modifyitems"]
