"""Contract of `PayloadStorePort`; an adapter binds it with a fixture `store`."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from domain.model.errors import PayloadStoreError
from domain.model.events.event import TranscriptData, TranscriptRef
from ports.payload_store_port import PayloadStorePort
from tests.support.samples.factories import an_event


@dataclass(frozen=True)
class Store:
    """Store together with its readers' view."""

    port: PayloadStorePort
    fetch: Callable[[TranscriptRef], bytes]
    broken: PayloadStorePort | None = None


class PayloadStorePortContract:
    """Suite for the adapters of `PayloadStorePort`."""

    def test_both_transcripts_can_be_read_back_whole(self, store: Store) -> None:
        event = an_event(raw_transcript="Grüße, 你好 \x00 👩‍👩‍👧 " * 1000, cleaned_transcript="")

        ref = store.port.store(event)

        assert TranscriptData.model_validate_json(store.fetch(ref)) == event.data

    def test_the_reference_lets_a_reader_check_what_it_fetched(self, store: Store) -> None:
        ref = store.port.store(an_event(raw_transcript="äöü"))

        content = store.fetch(ref)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (ref.size, ref.sha256)

    def test_the_key_names_tenant_and_interaction(self, store: Store) -> None:
        event = an_event()

        assert store.port.store(event).key == f"transcripts/{event.tenant_id}/{event.interaction_id}.json"

    def test_the_content_is_the_data_of_the_event_as_json(self, store: Store) -> None:
        ref = store.port.store(an_event(raw_transcript="um hello", cleaned_transcript="Hello."))

        assert json.loads(store.fetch(ref)) == {"raw_transcript": "um hello", "cleaned_transcript": "Hello."}

    def test_storing_again_leads_to_the_same_object(self, store: Store) -> None:
        event = an_event()

        assert store.port.store(event) == store.port.store(event)

    def test_events_do_not_get_in_each_others_way(self, store: Store) -> None:
        events = [an_event(raw_transcript=str(number)) for number in range(8)]

        with ThreadPoolExecutor(4) as threads:
            refs = list(threads.map(store.port.store, events))

        stored = [TranscriptData.model_validate_json(store.fetch(ref)) for ref in refs]
        assert stored == [event.data for event in events]

    def test_a_reference_leads_back_to_what_was_stored(self, store: Store) -> None:
        event = an_event(raw_transcript="Grüße " * 100)

        content = store.port.get(store.port.store(event))

        assert content is not None
        assert TranscriptData.model_validate_json(content) == event.data

    def test_a_reference_into_another_store_is_refused(self, store: Store) -> None:
        ref = store.port.store(an_event())

        with pytest.raises(PayloadStoreError, match="another-bucket"):
            store.port.get(ref.model_copy(update={"bucket": "another-bucket"}))

    def test_an_object_that_is_gone_is_told_from_a_store_that_fails(self, store: Store) -> None:
        ref = store.port.store(an_event())

        assert store.port.get(ref.model_copy(update={"key": "no-such-key"})) is None
        if store.broken is not None:
            with pytest.raises(PayloadStoreError):
                store.broken.get(ref)

    def test_no_more_is_read_than_shows_that_it_is_too_much(self, store: Store) -> None:
        ref = store.port.store(an_event(raw_transcript="x" * 1000))

        assert len(store.port.get(ref.model_copy(update={"size": 10})) or b"") == 11

    def test_a_store_that_fails_says_so(self, store: Store) -> None:
        if store.broken is None:
            pytest.skip("this store cannot fail")
        with pytest.raises(PayloadStoreError):
            store.broken.store(an_event())

    def test_erased_transcripts_cannot_be_read_any_more(self, store: Store) -> None:
        event, other = an_event(), an_event()
        refs = [store.port.store(each) for each in (event, other)]

        assert store.port.erase(event.tenant_id, event.interaction_id) == 1

        assert store.port.get(refs[0]) is None
        assert store.port.get(refs[1])

    def test_erasing_what_is_not_stored_is_no_error(self, store: Store) -> None:
        event = an_event()

        assert store.port.erase(event.tenant_id, event.interaction_id) == 0

    def test_transcripts_that_cannot_be_erased_are_told(self, store: Store) -> None:
        if store.broken is None:
            pytest.skip("this store cannot fail")
        event = an_event()

        with pytest.raises(PayloadStoreError):
            store.broken.erase(event.tenant_id, event.interaction_id)
