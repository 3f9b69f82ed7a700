"""Contract of removal (`ports/event_infrastructure_port.py`)."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.aws.infrastructure.infrastructure import AwsEventInfrastructure
from domain.model.errors import InfrastructureError
from domain.model.route.route import RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome
from tests.contracts.event_infrastructure.fixtures import RouteFixtures
from tests.support.aws.routes import Clients, RouteOnAws


class RemovalContract(RouteFixtures):
    """Bind `clients` and `names`, as `RouteFixtures` says."""

    def test_removing_takes_everything_but_the_bus_and_may_be_done_again(self, route: RouteOnAws) -> None:
        removed = route.infrastructure.remove()
        again = route.infrastructure.remove()

        components = [
            RouteComponent.TARGET,
            RouteComponent.RULE,
            RouteComponent.QUEUE,
            RouteComponent.DEAD_LETTER_QUEUE,
            RouteComponent.BUS,
        ]
        assert [removal.component for removal in removed] == components
        assert [removal.outcome for removal in removed] == [RemovalOutcome.REMOVED] * 4 + [
            RemovalOutcome.LEFT
        ]
        assert [removal.outcome for removal in again] == [RemovalOutcome.MISSING] * 4 + [RemovalOutcome.LEFT]
        assert not any(resource.exists for resource in route.infrastructure.inspect().resources)

    @pytest.mark.parametrize("which", ["queue", "dead_letter_queue"])
    @pytest.mark.parametrize("in_flight", [False, True])
    def test_nothing_is_removed_while_a_message_is_in_a_queue(
        self, route: RouteOnAws, which: str, *, in_flight: bool
    ) -> None:
        name = getattr(route.names, which)
        url = route.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        route.clients.sqs.send_message(QueueUrl=url, MessageBody="an event")
        if in_flight:
            route.clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)

        counts = "0 waiting, 1 in flight" if in_flight else "1 waiting, 0 in flight"
        with pytest.raises(InfrastructureError, match=rf"{name} holds .*{counts}.*Nothing was removed"):
            route.infrastructure.remove()

        assert route.infrastructure.inspect().ok

    def test_force_removes_the_messages_too(self, route: RouteOnAws) -> None:
        route.clients.sqs.send_message(QueueUrl=route.queue_url, MessageBody="an event")

        removed = route.infrastructure.remove(force=True)

        assert [removal.outcome for removal in removed][:4] == [RemovalOutcome.REMOVED] * 4

    def test_a_rule_that_others_use_is_left_without_our_target(self, route: RouteOnAws) -> None:
        other = {"Id": "other", "Arn": route.attributes()["QueueArn"] + "-other"}
        route.put_target(**other)

        target, rule, *_ = route.infrastructure.remove()

        assert target.outcome is RemovalOutcome.REMOVED
        assert rule.outcome is RemovalOutcome.LEFT
        assert other["Arn"] in rule.reason
        assert route.targets() == [other]

    def test_every_target_that_sends_to_our_queue_is_removed(self, route: RouteOnAws) -> None:
        route.put_target(Id="added-by-hand", Arn=route.attributes()["QueueArn"])

        removed = route.infrastructure.remove()

        assert [removal.outcome for removal in removed][:4] == [RemovalOutcome.REMOVED] * 4

    def test_a_target_with_our_id_is_removed_beside_the_one_that_sends_to_our_queue(
        self, route: RouteOnAws
    ) -> None:
        queue = route.attributes()["QueueArn"]
        route.put_target(Arn=f"{queue}-renamed")
        route.put_target(Id="added-by-hand", Arn=queue)

        removed = route.infrastructure.remove()

        assert [removal.outcome for removal in removed][:4] == [RemovalOutcome.REMOVED] * 4

    def test_a_dead_letter_queue_that_others_use_is_left(self, route: RouteOnAws) -> None:
        dead_letters = route.attributes(route.names.dead_letter_queue)["QueueArn"]
        other = f"{route.names.queue}-other"
        redrive = json.dumps({"deadLetterTargetArn": dead_letters, "maxReceiveCount": 5})
        route.clients.sqs.create_queue(QueueName=other, Attributes={"RedrivePolicy": redrive})

        removal = route.infrastructure.remove()[3]

        assert (removal.component, removal.outcome) == (RouteComponent.DEAD_LETTER_QUEUE, RemovalOutcome.LEFT)
        assert other in removal.reason

    def test_two_removals_at_once_both_succeed(self, clients: Clients, route: RouteOnAws) -> None:
        both = [AwsEventInfrastructure(*clients, route.names, pause=lambda _: None) for _ in range(3)]

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(AwsEventInfrastructure.remove, both))

        assert not any(resource.exists for resource in route.infrastructure.inspect().resources)

    def test_only_the_route_of_these_names_is_removed(self, clients: Clients, route: RouteOnAws) -> None:
        names = RouteNames(
            bus=route.names.bus,
            rule=f"{route.names.rule}-2",
            queue=f"{route.names.queue}-2",
            dead_letter_queue=f"{route.names.dead_letter_queue}-2",
            archive=f"{route.names.archive}-2",
        )
        neighbour = RouteOnAws(clients, replace(names))
        neighbour.infrastructure.provision()

        route.infrastructure.remove(force=True, archive=True)

        assert neighbour.infrastructure.inspect().ok
