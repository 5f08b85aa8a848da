"""Suggestions and the votes for them. Both announce themselves; no suggestion is ever deleted."""

from collections.abc import Iterable
from typing import ClassVar, NoReturn, Self

from django.conf import settings
from django.db import models, router, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.models import Product
from products.tracking import Tracked

MAX_TITLE = 120
MAX_TEXT = 2_000

# Written once, with the suggestion.
FIXED = frozenset({"author_id", "product_id", "created_at"})


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    """Suggestions, as they are listed and locked. Everybody with a login may read them all."""

    def whole(self) -> Self:
        """With all that suggestion_data() shows."""
        return self.select_related("author")

    def newest_first(self) -> Self:
        """The last one first."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """The rows, locked until the transaction ends, in key order."""
        return self.select_for_update(of=("self",)).order_by("pk")

    def delete(self) -> NoReturn:
        """Raises ProtectedError, as Suggestion.delete() does."""
        raise models.ProtectedError("Suggestions are never deleted.", set())


class Suggestion(Tracked):
    """What somebody would like to be otherwise, of one product or of the shop as a whole.

    save() writes what was set and announces it (products.suggestions.signals); votes move with the
    rows of Vote alone. QuerySet.update and bulk_* are silent.
    """

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="suggestions",
        verbose_name=_("author"),
    )
    # Protected: a product with suggestions goes off sale instead of being deleted, so that none of
    # them vanishes from open pages without an event.
    product = models.ForeignKey(
        Product,
        on_delete=models.PROTECT,
        related_name="suggestions",
        db_index=False,  # the index of a product's suggestions, newest first, serves
        null=True,
        blank=True,
        verbose_name=_("product"),
        help_text=_("Empty: the shop as a whole."),
    )
    title = models.CharField(_("title"), max_length=MAX_TITLE)
    text = models.TextField(_("text"), max_length=MAX_TEXT)
    votes = models.PositiveIntegerField(_("votes"), default=0, editable=False)
    answer = models.TextField(_("answer"), max_length=MAX_TEXT, blank=True, default="")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answer="", answered_by=None, answered_at=None)
                | (~Q(answer="") & Q(answered_by__isnull=False, answered_at__isnull=False)),
                name="suggestion_answer_is_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="suggestion_newest"),
            models.Index(fields=["-votes", "-created_at", "-id"], name="suggestion_wanted"),
            models.Index(
                fields=["product", "-created_at", "-id"], name="suggestion_of_product_newest"
            ),
            models.Index(
                fields=["product", "-votes", "-created_at", "-id"],
                name="suggestion_of_product_wanted",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write what was set on this instance since it was loaded, and nothing else.

        The row is locked first, and what others changed meanwhile is taken over. A new one has no
        votes. Without a change nothing is written, and nobody hears of it.

        Raises ValueError for another author, product or time.
        """
        using = using or router.db_for_write(type(self), instance=self)
        allowed = self.attributes(update_fields)
        with transaction.atomic(using=using):
            if self._state.adding:
                self.votes = 0
                super().save(force_insert=force_insert, using=using)
                self.take_over(self, but=frozenset())
                return
            rows = Suggestion.objects.using(using).locked().annotate(**self.expressions())
            row = rows.get(pk=self.pk)
            were_set = self.values_set(row)
            written = {
                name: value
                for name, value in were_set.items()
                if name in allowed - {"votes"} and value != getattr(row, name)
            }
            if fixed := FIXED & written.keys():
                raise ValueError(f"A suggestion keeps its {', '.join(sorted(fixed))}.")
            for name, value in written.items():
                setattr(row, name, value)
            self.take_over(row, but=were_set.keys() - allowed - {"votes"})
            if written:
                super().save(force_update=True, using=using, update_fields=written.keys())

    def delete(self, using: str | None = None, keep_parents: bool = False) -> NoReturn:
        """Raises ProtectedError: no event would tell open pages that it is gone."""
        raise models.ProtectedError("Suggestions are never deleted.", {self})


class VoteQuerySet(models.QuerySet["Vote"]):
    """Votes, which are counted one by one."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Withdraw each vote as Vote.delete() does; returns how many were there, as Django does."""
        with transaction.atomic(using=self.db):
            # In key order of what each locks.
            counts = [vote.delete(using=self.db)[0] for vote in self.order_by("suggestion_id")]
        return sum(counts), {"suggestions.Vote": sum(counts)} if any(counts) else {}

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Vote(models.Model):
    """One user wants what one suggestion says.

    save() and delete() count it and announce the count; QuerySet.update and bulk_* do neither.
    """

    suggestion = models.ForeignKey(
        Suggestion,
        on_delete=models.PROTECT,
        related_name="cast_votes",
        db_index=False,  # the unique index serves
        verbose_name=_("suggestion"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = VoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("vote")
        verbose_name_plural = _("votes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["suggestion", "user"], name="suggestion_vote_of_user")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.suggestion_id}"

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write a new vote and count it. Raises IntegrityError for the user's second one,
        ValueError for one that is there."""
        if not self._state.adding:
            raise ValueError("A vote stays as it was cast; it can be withdrawn.")
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            self._count(1, using=using)
            super().save(force_insert=True, using=using)

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        """Withdraw the vote. Returns what was deleted: nothing when it was withdrawn before."""
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            Suggestion.objects.using(using).locked().get(pk=self.suggestion_id)
            if not Vote.objects.using(using).filter(pk=self.pk).exists():
                return 0, {}
            self._count(-1, using=using)
            return super().delete(using=using, keep_parents=keep_parents)

    def _count(self, change: int, *, using: str) -> None:
        """Move the suggestion's counter, read under its lock: two votes may not both count five."""
        self.suggestion = Suggestion.objects.using(using).locked().get(pk=self.suggestion_id)
        self.suggestion.votes += change
        # Silent: the vote itself is announced.
        Suggestion.objects.using(using).filter(pk=self.suggestion_id).update(
            votes=self.suggestion.votes
        )
