"""Settings of the transport SNS."""

from pydantic import Field

from bootstrap.fields import Bytes, TopicName
from bootstrap.settings.group import SettingsGroup
from domain.model.route.route import DEFAULT_TOPIC

KIB_256 = 2**18


class SnsSettings(SettingsGroup):
    """The topic of all kinds of events, and the largest message that it accepts."""

    sns_topic_name: TopicName = DEFAULT_TOPIC
    sns_max_bytes: Bytes = Field(default=KIB_256, ge=1_000, le=2**20)
