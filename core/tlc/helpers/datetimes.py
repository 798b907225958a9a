"""Points in time as columns hold them: ISO 8601 text, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


class DateTimeHelper:
    """Converts points in time. What has no time zone is taken to be UTC."""

    @staticmethod
    def now() -> str:
        """Return the present time."""
        return DateTimeHelper.to_text(datetime.now(UTC))

    @staticmethod
    def to_text(moment: datetime) -> str:
        """Return a time as ISO 8601 text in UTC."""
        return _in_utc(moment).isoformat()

    @staticmethod
    def from_text(text: str) -> datetime:
        """Return the time that ISO 8601 text names, in UTC.

        Raises:
            ValueError: It is no such text.
        """
        return _in_utc(datetime.fromisoformat(text))

    @staticmethod
    def from_timestamp(seconds: float) -> datetime:
        """Return the time of so many seconds since the start of 1970."""
        return datetime.fromtimestamp(seconds, UTC)

    @staticmethod
    def to_timestamp(moment: datetime) -> float:
        """Return the seconds since the start of 1970."""
        return _in_utc(moment).timestamp()


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
