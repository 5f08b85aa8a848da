"""Server and browser write money, times and levels alike: a patched page keeps its spelling."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from marketplace import formats

FORMAT_JS = Path("realtime/static/realtime/format.js").resolve()
NOW = datetime(2026, 11, 21, 14, 3, 20, tzinfo=UTC)

AMOUNTS = ["0.00", "0.05", "8.00", "12.50", "1249.50", "1234567.89", "999.99"]
CURRENCIES = ["EUR", "USD", "GBP", "CHF", "SEK", "PLN", "JPY", "XAF"]
AGES = [0, 59, 60, 119, 240, 3599, 3600, 7300, 86_399, 86_400, 3 * 86_400, 604_799, 604_800, 9**8]
STYLES: tuple[formats.Style, ...] = ("date", "time", "datetime", "recent")
STOCKS = [(0, 5, None), (1, 5, 400), (3, 5, None), (20, 5, None), (7, 0, None), (7, 5, 12)]

SCRIPT = """
const asked = JSON.parse(await new Response(process.stdin).text());
globalThis.document = { documentElement: { lang: asked.language } };
globalThis.pgettext = (context, text) => text;
const format = await import(asked.module);
console.log(JSON.stringify({
  money: asked.money.map(([amount, currency]) => format.formatMoney(amount, currency)),
  moments: asked.moments.flatMap((moment) =>
    ["date", "time", "datetime", "recent"].map((style) =>
      format.formatMoment(moment, style, undefined, asked.now))),
  ago: asked.moments.map((moment) => format.formatAgo(moment, asked.now)),
  words: ["ok", "few", "low", "out"].map((level) => format.levelWord(level)),
  shares: asked.stocks.map(([stock, lowStockThreshold, maxGroupSize]) =>
    format.levelShare({ stock, lowStockThreshold, maxGroupSize })),
}));
"""


def in_the_browser(**asked: Any) -> dict[str, list[Any]]:
    """What format.js writes, by the same JavaScript engine that the browser has."""
    answer = subprocess.run(
        ["node", "--input-type=module", "--eval", SCRIPT],
        input=json.dumps({**asked, "module": FORMAT_JS.as_uri()}),
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    written: dict[str, list[Any]] = json.loads(answer.stdout)
    return written


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_writes_the_same_texts_as_the_browser(language: str) -> None:
    money = [(amount, currency) for amount in AMOUNTS for currency in CURRENCIES]
    moments = [NOW - timedelta(seconds=age) for age in AGES]
    browser = in_the_browser(
        language=language,
        money=money,
        moments=[moment.isoformat() for moment in moments],
        now=NOW.timestamp() * 1000,
        stocks=STOCKS,
    )

    with translation.override(language):
        assert browser["money"] == [formats.format_money(*each) for each in money]
        assert browser["moments"] == [
            formats.format_moment(moment, style, now=NOW) for moment in moments for style in STYLES
        ]
        assert browser["ago"] == [formats.format_ago(moment, now=NOW) for moment in moments]
    with translation.override("en"):
        # gettext is Django's on both sides; here only the words' choice is compared.
        assert browser["words"] == [
            formats.level_word(level) for level in ("ok", "few", "low", "out")
        ]
    assert browser["shares"] == [
        formats.level_share(stock=stock, low_stock_threshold=threshold, max_group_size=group)
        for stock, threshold, group in STOCKS
    ]


def test_it_writes_money_as_people_of_the_language_do() -> None:
    with translation.override("en"):
        assert formats.format_money("1249.50", "EUR") == "€1,249.50"
        assert formats.format_money("12.50", "CHF") == "CHF\N{NO-BREAK SPACE}12.50"
    with translation.override("fr"):
        assert formats.format_money("12.50", "EUR") == "12,50\N{NO-BREAK SPACE}€"
