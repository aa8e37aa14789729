"""What LINE's pages say, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType

from ops.line_sandbox.login.requests import Lang

JAPANESE: Mapping[str, str] = MappingProxyType(
    {
        "sandbox": "LINE（サンドボックス）",
        "login": "LINEでログイン",
        "who": "あなたはだれですか",
        "typed": "または LINE ユーザー ID",
        "wrong_user": "ユーザーを選ぶか、U と 32 桁の 16 進数を入力してください。",
        "asks": "このサービスは次の情報の利用を求めています",
        "openid": "内部識別子",
        "profile": "プロフィール情報",
        "email": "メールアドレス",
        "add_friend": "公式アカウントを友だち追加する",
        "allow": "許可する",
        "cancel": "キャンセル",
        "offer": "公式アカウントを友だち追加しますか",
        "add": "追加",
        "not_now": "今はしない",
        "link": "アカウント連携",
        "link_asks": "LINE アカウントとサービスのアカウントを連携します。連携はいつでも解除できます。",
        "ok": "アカウントを連携しました。",
        "failed": "アカウントを連携できませんでした。",
        "cancelled": "アカウント連携をキャンセルしました。",
        "fault": "エラーが発生しました",
        "friend": "友だち",
        "blocked": "ブロック中",
        "left": "友だちではない",
        "nameless": "名前なし",
    }
)
ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "sandbox": "LINE (sandbox)",
        "login": "Log in with LINE",
        "who": "Who are you?",
        "typed": "Or a LINE user ID",
        "wrong_user": "Choose a user, or type U and 32 hexadecimal digits.",
        "asks": "This service asks for the following",
        "openid": "Internal identifier",
        "profile": "Main profile information",
        "email": "E-mail address",
        "add_friend": "Add the official account as a friend",
        "allow": "Allow",
        "cancel": "Cancel",
        "offer": "Add the official account as a friend?",
        "add": "Add",
        "not_now": "Not now",
        "link": "Account link",
        "link_asks": "Your LINE account will be linked with your account of the service. You can unlink it at any time.",
        "ok": "Your accounts are linked.",
        "failed": "Your accounts could not be linked.",
        "cancelled": "The account link was cancelled.",
        "fault": "An error occurred",
        "friend": "friend",
        "blocked": "blocked",
        "left": "no friend",
        "nameless": "no name",
    }
)
TEXTS: Mapping[Lang, Mapping[str, str]] = MappingProxyType({"ja": JAPANESE, "en": ENGLISH})
