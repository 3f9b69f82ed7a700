from concurrent.futures import ThreadPoolExecutor

from domain.services.resilience.circuit_breaker import CircuitBreaker


def test_a_breaker_is_closed_at_first() -> None:
    breaker = CircuitBreaker()

    assert (breaker.is_open, breaker.reason, breaker.held) == (False, None, None)


def test_failures_in_a_row_open_it_with_the_last_reason() -> None:
    breaker = CircuitBreaker(threshold=3)

    breaker.failed("first")
    breaker.failed("second")
    assert not breaker.is_open
    breaker.failed("third")

    assert breaker.reason == "third"


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = CircuitBreaker(threshold=2)

    for _ in range(5):
        breaker.failed("away")
        breaker.succeeded()

    assert not breaker.is_open


def test_a_success_closes_it_and_the_count_starts_again() -> None:
    breaker = CircuitBreaker(threshold=2)
    breaker.failed("away")
    breaker.failed("away")

    breaker.succeeded()
    breaker.failed("away")

    assert not breaker.is_open


def test_one_failure_is_enough_where_it_tells_all() -> None:
    breaker = CircuitBreaker()

    breaker.trip("access denied")
    assert breaker.reason == "access denied"
    breaker.succeeded()
    assert not breaker.is_open


def test_no_success_ends_a_hold() -> None:
    breaker = CircuitBreaker()
    breaker.hold("the bus does not exist")

    breaker.succeeded()
    assert breaker.reason == breaker.held == "the bus does not exist"
    breaker.release()
    assert not breaker.is_open


def test_a_trip_outlasts_a_hold() -> None:
    breaker = CircuitBreaker()
    breaker.trip("away")
    breaker.hold("no rule")
    assert breaker.reason == "no rule"

    breaker.release()

    assert (breaker.reason, breaker.held) == ("away", None)


def test_failures_of_several_threads_are_all_counted() -> None:
    breaker = CircuitBreaker(threshold=1000)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: breaker.failed("away"), range(999)))

    assert not breaker.is_open
    breaker.failed("the last one")
    assert breaker.reason == "the last one"
