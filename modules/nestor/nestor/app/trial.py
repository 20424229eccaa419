"""Whether settings hold beyond their form: everything that can be known without touching a file or a key."""

from nestor.ca.catalog import build_catalog
from nestor.registrar.labels import build_labels
from nestor.settings import Settings


def try_settings(settings: Settings) -> None:
    """Build what needs no file. Raises SettingsError with a line for every key that is wrong."""
    catalog = build_catalog(settings.profiles)
    build_labels(settings.labels, catalog.names())
