"""The page of KPIs for marketers (docs/kpis.md), written from the definitions themselves."""

from functions.measure.kpi import Kpi
from functions.measure.kpis import KPI_TREE, KPIS

UNITS = {"yen": "円", "ratio": "割合", "count": "数", "days": "日"}
SCOPES = {
    "all": "全体",
    "scenario": "シナリオ",
    "campaign": "キャンペーン",
    "run": "配信回",
    "step": "ステップ",
    "variant": "実験の案",
    "kind": "種類",
    "segment": "セグメント",
    "reason": "停止の理由",
    "category": "カテゴリ",
    "cohort": "初回購入の月",
}
GROUPS = {"operational": "配信の指標", "business": "事業の指標"}

_HEAD = """\
# KPI の意味

> このページは定義から作られています(`functions/measure/kpi_operational.py`・`kpi_business.py`)。直すときは定義を直し、`musubi kpis --write docs/kpis.md` を実行します。定義と違っていればテストが落ちます。

数字はすべて、毎朝4時(アカウントの時間帯)に前日までを数え直したものです。次の決まりは、どの KPI にも当てはまります。

- **確定した出来事だけを数えます。** 未確定(`provisional`)の注文は数えません。取り込んだ過去の注文は数えます。
- **取り消しと返品は、注文した日の数字から引きます。** 先月の注文がきょう返品されれば、先月の売上が減ります。遅れて届いた出来事も、起きた日に数えます。だから過去の数字は少し動きます。
- **同じ人は1人です。** 会員どうしの統合や LINE との連携のあとは、統合後の1人として数え直します。
- **成果(コンバージョン)は、目標の期限(`within`)以内に届いたメッセージのものとみなします。** 最後の1通(ラストタッチ)と最初の1通(ファーストタッチ)の両方を持ち、何も書かなければラストタッチです。1件の成果が2通に数えられることはありません。届いたが押していないメッセージも数えます。
- **「成果」は因果ではありません。** 送らなくても買ったかもしれません。送ったから増えた分は、対照群との差(リフト)で見ます。
- **いくつもの配信が同じ注文に触れたとき**は、成果は1通に付け、「重なり率」と重なりの表(どれとどれが同じ成果に触れたか)に出します。重なり率が高い配信どうしの優劣は、成果の数では決められません。
- **1通の値段は、その月の請求 ÷ その月に届いた通数です。** 無料分の中の1通も、超えた分の1通も、同じ値段です。月の途中では、そこまでの通数で割ります(月額があるので、月初は高く出ます)。
- **クーポンの費用は、同じ日の注文に付けます**(注文番号があればその注文、なければ時刻の近い注文)。注文のない日に使われたクーポンは、「クーポン費用」には入り、LTV には入りません。
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "## KPI ツリー\n\n上の数字は、下の数字で動きます。\n", *_tree("ltv", 0, set()), ""]
    for group, name in GROUPS.items():
        parts += [f"## {name}\n", "| KPI | 意味 | 単位 | 分けて見る | id |", "|---|---|---|---|---|"]
        parts += [_row(kpi) for kpi in KPIS.values() if kpi.group == group]
        parts.append("")
    parts += [
        "## 計算式(SQL)\n",
        "分析のテーブル(`derived/v1`)を読みます。`$first`・`$last` は期間の最初と最後の日です。\n",
    ]
    parts += [_sql(kpi) for kpi in KPIS.values()]
    return "\n".join(parts)


def _row(kpi: Kpi) -> str:
    scopes = "・".join(name for kind, name in SCOPES.items() if kind in kpi.scopes)
    return f"| **{kpi.name}**<br>{kpi.name_en} | {kpi.meaning} | {UNITS[kpi.unit]} | {scopes} | `{kpi.id}` |"


def _sql(kpi: Kpi) -> str:
    return f"<details><summary>{kpi.name}(<code>{kpi.id}</code>)</summary>\n\n```sql\n{kpi.sql}\n```\n\n{kpi.meaning_en}\n\n</details>\n"


def _tree(kpi: str, depth: int, told: set[str]) -> list[str]:
    """A list of what moves a KPI; what stands further up already is not unfolded again."""
    lines = [f"{'  ' * depth}- {KPIS[kpi].name}"]
    if kpi in told:
        return lines
    told.add(kpi)
    return lines + [line for child in KPI_TREE.get(kpi, ()) for line in _tree(child, depth + 1, told)]
