"""The tables of the event path: the outbox, the log and its head.

Only realtime.publishing writes the outbox and only realtime.log moves rows from it.
"""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import realtime.notifications.models  # noqa: F401 these tables are the app's, too


class OutboxEvent(models.Model):
    """An event that a transaction announced and that has no position yet.

    The row stands or falls with its transaction; the sequencer moves it into the log.
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(_("type"), max_length=64)
    audiences = models.TextField(
        _("audiences"), help_text=_("Channel names, separated by a blank.")
    )
    payload = models.TextField(
        _("payload"), help_text=_("The event's JSON without its id, encoded once.")
    )
    published_at = models.DateTimeField(_("published at"))

    class Meta:
        verbose_name = _("waiting event")
        verbose_name_plural = _("waiting events")

    def __str__(self) -> str:
        return f"{self.type} (not numbered)"


class LogHead(models.Model):
    """The one row behind which the log grows: its lock orders all sequencers.

    position: that of the last event; floor: nothing at or below it can be replayed any more.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="realtime_one_log_head"),
            models.CheckConstraint(
                condition=models.Q(floor__lte=models.F("position")),
                name="realtime_floor_within_log",
            ),
        ]

    def __str__(self) -> str:
        return f"position {self.position}, floor {self.floor}"


class LogEvent(models.Model):
    """An event at its position. Positions are whole, grow by one and are never given twice."""

    position = models.BigIntegerField(_("position"), primary_key=True)
    type = models.CharField(_("type"), max_length=64)
    audiences = models.TextField(_("audiences"))
    payload = models.TextField(_("payload"))
    published_at = models.DateTimeField(_("published at"), db_index=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering: ClassVar = ["-position"]
        permissions: ClassVar = [("send_test_event", "Can send a test event")]
        # The admin looks for the few events of a rare type among a million.
        indexes: ClassVar = [
            models.Index(fields=["type", "position"], name="realtime_type_position")
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.type}"


class StoredCursor(models.Model):
    """How far a reader of the log has come that is no client (realtime.cursors), and who holds it.

    The log is kept behind the slowest, up to a limit. Whoever deletes the row lets the log go.
    """

    name = models.CharField(_("name"), primary_key=True, max_length=64)
    position = models.BigIntegerField(
        _("position"), help_text=_("Everything up to here is done with.")
    )
    moved_at = models.DateTimeField(_("moved at"), default=timezone.now)
    holder = models.UUIDField(_("held by"), null=True)
    held_until = models.DateTimeField(_("held until"), null=True)

    class Meta:
        verbose_name = _("reader of the log")
        verbose_name_plural = _("readers of the log")

    def __str__(self) -> str:
        return self.name


class ProcessLease(models.Model):
    """What one server process tells the others, renewed each second while it lives.

    A process that was killed leaves no counts behind: its lease is dead after three seconds.
    Columns have defaults in the database for processes of another release, which know fewer.
    """

    process = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100, db_default="", help_text="Host and process id.")
    started_at = models.DateTimeField(db_default=Now())
    renewed_at = models.DateTimeField()
    position = models.BigIntegerField(db_default=0, help_text="The log is handed out up to here.")
    by_user = models.JSONField(default=dict, help_text="Streams by user id.")
    by_address = models.JSONField(default=dict, help_text="Anonymous streams by address.")
    tallies = models.JSONField(
        default=dict, db_default={}, help_text="What it counted since it started."
    )
    recent = models.JSONField(
        default=dict, db_default={}, help_text="What it counted over the last seconds."
    )

    class Meta:
        verbose_name = _("server process")
        verbose_name_plural = _("server processes")
        permissions: ClassVar = [("end_stream", "Can end a stream")]

    def __str__(self) -> str:
        return f"{self.name} at {self.renewed_at:%H:%M:%S}"


class StreamReport(models.Model):
    """What one process answered when it was asked for its streams (realtime.roll_call)."""

    request = models.UUIDField(help_text="What was asked.", db_index=True)
    process = models.UUIDField()
    answered_at = models.DateTimeField(db_default=Now(), db_index=True)
    total = models.PositiveIntegerField(help_text="Streams that were asked for.")
    streams = models.JSONField(help_text="Those that are told of.")

    def __str__(self) -> str:
        return f"{self.total} streams of {self.process}"


class EphemeralEvent(models.Model):
    """What another process may find for a few seconds, where there is no Redis between them."""

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=64)
    audiences = models.TextField()
    key = models.CharField(max_length=100)
    payload = models.TextField()
    process = models.UUIDField(help_text="Who left it, and has told its own listeners.")
    left_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return f"{self.type} {self.key}"


class LogAudience(models.Model):
    """Which event a channel's listeners may see: the index that a replay reads by."""

    pk = models.CompositePrimaryKey("audience", "position")
    audience = models.CharField(max_length=97)
    position = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["position"], name="realtime_audience_position")]

    def __str__(self) -> str:
        return f"{self.audience} at {self.position}"


class PresenceRow(models.Model):
    """A user listens to a channel in one process, which counts while its lease lives."""

    process = models.UUIDField()
    channel = models.CharField(max_length=100)
    user_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["process", "channel", "user_id"], name="realtime_presence_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["channel"], name="realtime_presence_channel")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.channel}"
