"""The plan in the marketers' language: reasons, kinds, parts and warnings."""

from ops.plan.cautions import Caution
from ops.plan.differences import Difference
from ops.plan.forecast import Forecast

KINDS = {"support": "サポート", "notification": "お知らせ", "promotion": "販促"}

_REASONS = {
    "unreachable": "届かない(未連携・ブロック)",
    "no_consent": "同意がない・撤回された",
    "holdout": "比較のために送らない方",
    "stale_data": "データが古い",
    "not_confirmed": "未確定の出来事",
    "no_longer_eligible": "条件から外れた(購入など)",
    "erased": "消去済み",
    "capped": "頻度の上限",
    "excluded": "対応中のため対象外",
    "quiet_hours": "夜間の配信停止",
    "outranked": "優先する配信に枠をゆずった",
    "over_quota": "通数の上限",
    "over_budget": "予算の上限",
    "breaker_open": "異常による停止",
    "stopped": "停止中",
    "expired": "期限切れ",
}
_PARTS = {
    "event": "出来事",
    "segment": "セグメント",
    "scenario": "シナリオ",
    "campaign": "キャンペーン",
    "message": "メッセージ",
    "experiment": "実験",
    "exclusion_rule": "除外の条件",
    "source": "データ源",
    "cap": "頻度の上限",
    "rule": "共通の決まり",
}
_CHANGES = {"added": "追加", "changed": "変更", "removed": "削除"}

_CAUTIONS = {
    "nobody_reachable": "届けられる方がひとりもいません(LINEと連携した顧客がいません)。",
    "segment_empty": "セグメント「{about}」に該当する方がいません。",
    "segment_small": "セグメント「{about}」は{number:,.0f}人だけです。効果を確かめるには少なすぎます。",
    "nobody_enters": "シナリオ「{about}」に入る方がいません。",
    "nothing_sent": "キャンペーン「{about}」は{number:,.0f}人が対象ですが、1通も送られません。",
    "cap_never_reached": "頻度の上限「{about}」は一度も働きません。",
    "messages_max": "{about} の配信は{number:,.0f}通となり、決めた通数の上限を超えます。",
    "yen_max": "{about} の費用は{number:,.0f}円となり、決めた予算を超えます。",
    "month_runs_out": "{about} は上限に近づき、優先度の低い{number:,.0f}通がその月は送られません。",
    "campaign_yen_max": "キャンペーン「{about}」は予算(yen_max)が足りず、{number:,.0f}通が送られません。",
    "experiment_people": "実験「{about}」で目標の差を見つけるには、1群{number:,.0f}人が要ります。",
    "experiment_days": "実験「{about}」は、この見通しの人数なら{number:,.0f}日かかります。",
}


def reason_in_words(reason: str) -> str:
    """A reason of the gate; a rule's or a case's own name stands behind it."""
    head, _, name = reason.partition(":")
    told = _REASONS.get(head, head)
    return f"{told}({name})" if name else told


def kind_in_words(kind: str) -> str:
    """A kind of message."""
    return KINDS.get(kind, kind)


def caution_in_words(caution: Caution) -> str:
    """A warning in a sentence."""
    return _CAUTIONS[caution.code].format(about=caution.about, number=caution.number)


def difference_in_words(difference: Difference) -> tuple[str, str]:
    """What kind of thing differs, and how."""
    return _PARTS.get(difference.part, difference.part), _CHANGES[difference.change]


def assumption_in_words(forecast: Forecast) -> str:
    """What the forecast takes for granted."""
    assumed = forecast.assumed
    if not assumed.events:
        events = (
            "新しい出来事(購入・友だち追加・ブロックなど)は起きないものとしています。"
            "そのため、出来事から始まるシナリオの新しい参加者は数えていません。"
        )
    elif assumed.replay_days:
        events = (
            f"直近{assumed.replay_days}日の出来事が、もう一度ずつ繰り返すものとしています({assumed.events:,}件)。"
            "その期間に初めて現れた方は、別の新しい方として現れます。"
        )
    else:
        events = f"見込みとして渡された出来事{assumed.events:,}件が起きるものとしています。"
    linked = "全員がLINEと連携し、配信に同意しているものとしています。" if assumed.linked else ""
    return events + linked
