"""{% load site %}: icons, money, times, stock levels and the entries of the rail."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace import formats

register = template.Library()

SPRITE = "vendor/lucide/sprite.svg"


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """A Lucide icon of the sprite, drawn in the text's colour; size is "small", "large" or nothing.

    It says nothing to a screen reader: the word stands beside it or in an aria-label.
    """
    classes = f"icon icon-{size}" if size else "icon"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        classes,
        static(SPRITE),
        name,
    )


@register.simple_tag
def money(amount: Decimal | str, currency: str) -> str:
    """An amount with its currency, in the active language."""
    return formats.format_money(amount, currency)


@register.filter
def number(value: float) -> str:
    """A number, in the active language."""
    return formats.format_number(value)


@register.simple_tag
def moment(value: datetime, style: formats.Style = "datetime", field: str = "") -> SafeString:
    """A <time> that the browser writes again in the reader's time zone.

    field names the member of a payload that patch.js fills it from.
    """
    text = formats.format_moment(value, style)
    return _time(value, text, kind="moment", style=style, field=field)


@register.simple_tag
def ago(value: datetime, field: str = "") -> SafeString:
    """A <time> that says how long ago it was and is kept fresh."""
    return _time(value, formats.format_ago(value), kind="ago", style="", field=field)


def _time(value: datetime, text: str, *, kind: str, style: str, field: str) -> SafeString:
    field_attribute = format_html(' data-field="{}"', field) if field else ""
    style_attribute = format_html(' data-style="{}"', style) if style else ""
    return format_html(
        '<time datetime="{}" data-as="{}"{}{}>{}</time>',
        value.isoformat(),
        kind,
        style_attribute,
        field_attribute,
        text,
    )


@register.filter
def from_wire(moment: str) -> datetime:
    """The time that a text of the wire means."""
    return datetime.fromisoformat(moment)


@register.simple_tag
def stock_level(product: Any) -> SafeString:
    """The badge of a stock: word, shape and colour. product: a model row or its struct."""
    return format_html(
        '<span class="level" data-field="level" data-as="level" data-level="{}">{}</span>',
        product.level,
        formats.level_word(product.level),
    )


@register.simple_tag
def stock_bar(product: Any, size: str = "") -> SafeString:
    """The bar of a stock, which the badge says in words; size is "large" or nothing."""
    return format_html(
        '<svg class="{}" data-field="stock" data-as="bar" data-level="{}" aria-hidden="true">'
        '<rect width="{}%"/></svg>',
        f"level-bar level-bar-{size}" if size else "level-bar",
        product.level,
        formats.level_share(
            stock=product.stock,
            low_stock_threshold=product.low_stock_threshold,
            max_group_size=product.max_group_size,
        ),
    )


@register.simple_tag
def styled_field(field: BoundField) -> SafeString:
    """A form field's widget with the class that gives it our look."""
    given = field.field.widget.attrs.get("class", "")
    return field.as_widget(attrs={"class": f"input {given}".strip()})


@register.filter
def initials(name: str) -> str:
    """At most two letters that stand for a name in an avatar."""
    words = [word for word in name.replace("_", " ").replace(".", " ").split() if word]
    return "".join(word[0] for word in words[:2]) or "?"


@register.inclusion_tag("components/rail_entry.html", takes_context=True)
def rail_entry(
    context: Context, page: str, icon_name: str, label: str, section: str = ""
) -> dict[str, Any]:
    """One entry of the rail; page is the name of its URL, section an id on that page."""
    match = getattr(context.get("request"), "resolver_match", None)
    return {
        "href": reverse(page) + (f"#{section}" if section else ""),
        "icon_name": icon_name,
        "label": label,
        "is_current": not section and match is not None and match.url_name == page,
    }
