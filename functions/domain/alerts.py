"""Alerts: something measured is not as it usually is, or not as it must be. What is seen, in words, and what to do.

No alert names a person: counts, rates, and names of the playbook alone.
"""

import datetime as dt
from typing import Literal

import msgspec

from functions.domain.instants import Instant

AlertKind = Literal[
    "block_rate",
    "response_low",
    "failures",
    "stale",
    "silent",
    "coupons_unused",
    "steps_unclicked",
    "sample_ratio",
]
ScopeKind = Literal["all", "scenario", "campaign", "segment", "source", "experiment"]
PAGE = "docs/operations.md#alert-{0}"


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding of one measured day. `value` of `count`; `usual`: what it was held against, a limit or the usual band's end.

    `beyond`: whether a limit of the playbook was passed, or the band of what is usual left.
    """

    kind: AlertKind
    day: dt.date
    scope_kind: ScopeKind
    scope: str
    value: float
    usual: float
    count: int
    beyond: Literal["limit", "band"]
    at: Instant

    @property
    def alert_id(self) -> str:
        """The same finding is the same alert, however often the day is measured."""
        scope = f".{self.scope_kind}.{self.scope}" if self.scope else ""
        day = "" if self.kind == "sample_ratio" else f".{self.day.isoformat()}"
        return f"{self.kind}{scope}{day}"

    @property
    def page(self) -> str:
        """Where it says what to do."""
        return PAGE.format(self.kind)

    def in_words(self, language: Literal["en", "ja"] = "en") -> str:
        """What is seen, in one sentence."""
        text = _WORDS[self.kind][language == "ja"]
        return text.format(
            scope=_scope(self, language),
            percent=f"{self.value * 100:.3g}",
            usual=f"{self.usual * 100:.3g}",
            number=f"{self.value:,.0f}",
            hours=f"{self.value:,.0f}",
            hours_max=f"{self.usual:,.0f}",
            p=f"{self.value:.2g}",
            count=f"{self.count:,}",
            against=_AGAINST[self.beyond][language == "ja"],
        )

    def to_do(self, language: Literal["en", "ja"] = "en") -> str:
        """What to do first."""
        return _TO_DO[self.kind][language == "ja"]


_SCOPES = {
    "all": ("the account", "アカウント全体"),
    "scenario": ("scenario {}", "シナリオ「{}」"),
    "campaign": ("campaign {}", "キャンペーン「{}」"),
    "segment": ("segment {}", "セグメント「{}」"),
    "source": ("source {}", "データ源「{}」"),
    "experiment": ("experiment {}", "実験「{}」"),
}
_AGAINST = {"limit": ("limit", "上限・下限"), "band": ("usual range, up to", "いつもの範囲の端")}


def _scope(alert: Alert, language: str) -> str:
    return _SCOPES[alert.scope_kind][language == "ja"].format(alert.scope)


_WORDS: dict[AlertKind, tuple[str, str]] = {
    "block_rate": (
        "{scope}: {percent} % of {count} messages were followed by a block ({against} {usual} %)",
        "{scope}: {count}通のあとにブロックされた割合が{percent}%です({against} {usual}%)",
    ),
    "response_low": (
        "{scope}: only {percent} % of {count} messages were clicked ({against} {usual} %)",
        "{scope}: {count}通のクリック率が{percent}%しかありません({against} {usual}%)",
    ),
    "failures": (
        "{scope}: {percent} % of {count} messages failed or ended unknown ({against} {usual} %)",
        "{scope}: {count}通のうち{percent}%が失敗か不明で終わりました({against} {usual}%)",
    ),
    "stale": (
        "{scope}: nothing has come for at least {hours} hours (at most {hours_max})",
        "{scope}: 少なくとも{hours}時間、新しいデータが届いていません({hours_max}時間以内のはず)",
    ),
    "silent": (
        "{percent} % of the {count} people who bought then have bought nothing since ({against} {usual} %)",
        "そのころ買った{count}人のうち{percent}%が、その後ひとつも買っていません({against} {usual}%)",
    ),
    "coupons_unused": (
        "{percent} % of {count} coupons that were sent lie unused ({against} {usual} %)",
        "送ったクーポン{count}枚のうち{percent}%が使われていません({against} {usual}%)",
    ),
    "steps_unclicked": (
        "{scope}: {number} steps with {count} messages had not a single click",
        "{scope}: {number}つのステップ({count}通)で、クリックがひとつもありません",
    ),
    "sample_ratio": (
        "{scope}: the groups are not as large as their shares say (p {p}, {count} people)",
        "{scope}: 群の人数({count}人)が決めた割合と合いません(p {p})",
    ),
}
_TO_DO: dict[AlertKind, tuple[str, str]] = {
    "block_rate": (
        "Look at what was sent and to whom; stop it if it goes on (musubi stop).",
        "だれに何を送ったかを見て、続くようなら止めます(musubi stop)。",
    ),
    "response_low": (
        "Check preview text, sending time and call to action; then the links.",
        "プレビュー文、送る時刻、行動の呼びかけを見直します。リンク切れも確かめます。",
    ),
    "failures": (
        "musubi dlq list, musubi unknown list, and LINE's status page.",
        "musubi dlq list・musubi unknown list と、LINE の障害情報を見ます。",
    ),
    "stale": (
        "musubi sources says what is missing; ask whoever sends the data.",
        "musubi sources で何が来ていないかを見て、送り手に確かめます。",
    ),
    "silent": (
        "Look at stock, prices and the repurchase scenario's entry.",
        "在庫・価格と、再購入シナリオの入口を確かめます。",
    ),
    "coupons_unused": (
        "Check the coupon's conditions and expiry; remind once, or archive it.",
        "使える条件と期限を確かめ、1度だけ思い出していただくか、やめます。",
    ),
    "steps_unclicked": (
        "Open the message on a phone and tap its links; then rewrite or drop a step.",
        "スマートフォンで開いてリンクを押してみます。文面を直すか、ステップを減らします。",
    ),
    "sample_ratio": (
        "Do not believe the result: find out who is missing from one group.",
        "結果を信じず、どの群からだれが抜けたかを調べます。",
    ),
}


FEED = "alerts/v1/"
"""Where alerts are kept: an object each, under its day."""


class Noted(msgspec.Struct, frozen=True, omit_defaults=True):
    """An alert as it is kept. `told`: whether the topic has it; an alert that is not told yet is told by the next run."""

    alert: Alert
    told: bool = False


_decoder = msgspec.json.Decoder(Noted)


def decode_noted(body: bytes) -> Noted:
    """An object of the feed; msgspec.ValidationError where it is none."""
    return _decoder.decode(body)


def feed_key(alert: Alert) -> str:
    """Where an alert is kept. What is told once for good stands under no day."""
    day = "once" if alert.kind == "sample_ratio" else f"day={alert.day.isoformat()}"
    return f"{FEED}{day}/{alert.alert_id}.json"
