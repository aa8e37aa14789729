"""The ready-made shop playbook with changes that between them use every part of the language that ec leaves alone."""

import shutil
from pathlib import Path

from infra.bundle import ROOT

VIP_MENU = "richmenu-vip"

SEGMENTS = """
big_spenders: {when: orders.amount >= 10000, meaning: 累計1万円以上の方}
in_the_rain: {when: 'orders.count >= 1 and context("weather", area) == "rain"', meaning: 雨の地域の方}
"""

EXPERIMENTS = """
first_perk: {changes: offer, variants: {sample: 50, free_shipping: 50}, goal: F2転換率, owner: crm-team}
"""

RAINY_CAMPAIGN = """
name: rainy
segment: in_the_rain
message: ranking_top3
owner: crm-team
on: true
priority: campaign
schedule: {every: tuesday, at: "12:00"}
expires_after: 1d
"""

THANKS = """
entry: {segment: big_spenders, fresh_for: 2d}
reentry: never
steps:
  - rich_menu: vip
  - send: {name: thanks, message: vip_thanks}
  - wait: {for: 24h}
  - rich_menu: default
"""

OFFERS = """
entry: {event: campaign_joined, fresh_for: 1d}
reentry: after 7d
steps:
  - split:
      experiment: first_perk
      variants:
        sample: [{send: {name: perk_sample, message: upsell_sample}}]
        free_shipping: [{send: {name: perk_free_shipping, message: upsell_free_shipping}}]
  - wait: {for: 24h}
  - send: {name: second, message: weekly_picks}
  - wait: {for: 72h}
  - send: {name: third, message: churn_new, expires_after: 5d}
"""

COUPONS = """
entry: {event: coupon_used, fresh_for: 1d}
reentry: never
steps:
  - send: {name: coupon, message: f2_day14_coupon}
  - wait: {for: 1h}
  - send: {name: picks, message: weekly_picks}
"""

ASKED = """
entry: {event: favourite_added, fresh_for: 1d}
reentry: never
steps:
  - wait:
      until: '"answered" in tags'
      timeout: 2d
      then: [{send: {name: in_time, message: review_tips}}]
      on_timeout: [{send: {name: too_late, message: favourite_help}}]
"""

STOCKED = """
entry: {event: review_posted, fresh_for: 1d}
reentry: never
needs: [warehouse]
steps:
  - send: {name: unheard, message: care_thanks, expires_after: 20m}
  - wait: {for: 30m}
  - send: {name: heard, message: upsell_care, expires_after: 2h}
"""

SCENARIOS = {"thanks": THANKS, "offers": OFFERS, "coupons": COUPONS, "asked": ASKED, "stocked": STOCKED}


def changed_playbook(directory: Path) -> Path:
    """Write it to `directory`, which is not there yet."""
    shutil.copytree(ROOT / "playbooks" / "ec", directory)
    _change(directory / "playbook.yaml", "sources:\n", "sources:\n  warehouse: {fresh_for: 6h}\n")
    _append(directory / "playbook.yaml", f"\nrich_menus: {{vip: {VIP_MENU}}}\n")
    _change(directory / "segments.yaml", "when: orders.count >= 5 or", "when: orders.count >= 4 or")
    _append(directory / "segments.yaml", SEGMENTS)
    _append(directory / "experiments.yaml", EXPERIMENTS)
    _change(directory / "campaigns" / "weekly.yaml", "on: true", "on: false")
    (directory / "campaigns" / "rainy.yaml").write_text(RAINY_CAMPAIGN, encoding="utf-8")
    for name, course in SCENARIOS.items():
        text = f"name: {name}\n{_HEAD}{course}"
        (directory / "scenarios" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory


_HEAD = """desired_action: 商品ページを見る
target: "14日以内の購入率 8% → 10%"
owner: crm-team
on: true
priority: upsell
"""


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def _append(path: Path, more: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
