"""Settings of the database and of the folder for all that must survive."""

from pathlib import Path

from pydantic import Field

from bootstrap.fields import Days, Folder
from bootstrap.settings.group import SettingsGroup


class StorageSettings(SettingsGroup):
    """Database, its folder, and how long it keeps the texts of published events."""

    data_dir: Folder = Path("var")
    database_url: str = Field(
        default_factory=lambda given: f"sqlite:///{given['data_dir']}/transcripts.db", min_length=1
    )
    database_allow_network_file_system: bool = Field(default=False, description="true or false")
    outbox_keep_days: Days = Field(default=0.0, le=3650)
