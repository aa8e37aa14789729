"""What the pages say, in Japanese and English."""

from functions.link.answers import Lang

WORDS: dict[str, dict[Lang, str]] = {
    "start_title": {"ja": "LINE と会員情報をつなぐ", "en": "Link LINE and your account"},
    "start_what": {
        "ja": "つなぐと、ご注文やご予約に合わせたお知らせが LINE に届きます。LINE のパスワードや友だちの情報を当店が受け取ることはありません。",
        "en": "Once linked, messages that fit your orders and bookings reach you on LINE. We receive neither your LINE password nor anything about your friends.",
    },
    "start_undo": {
        "ja": "つないだ後も、いつでも解除できます。",
        "en": "You can unlink at any time.",
    },
    "agree": {"ja": "同意する項目(任意)", "en": "What you agree to (optional)"},
    "start_button": {"ja": "LINE でつなぐ", "en": "Link with LINE"},
    "liff_wait": {"ja": "LINE に確かめています…", "en": "Asking LINE…"},
    "liff_button": {"ja": "つなぐ", "en": "Link"},
    "done_title": {"ja": "つながりました", "en": "Linked"},
    "done_what": {
        "ja": "LINE と会員情報がつながりました。反映まで数秒かかることがあります。",
        "en": "LINE and your account are linked. It may take a few seconds to show.",
    },
    "done_friend": {
        "ja": "まだ友だちではありません。お知らせを受け取るには、友だちに追加してください。",
        "en": "The account is not your friend yet. Add it, so that messages can reach you.",
    },
    "welcome_title": {"ja": "ようこそ", "en": "Welcome"},
    "welcome_add": {
        "ja": "友だちに追加すると、お知らせを LINE で受け取れます。",
        "en": "Add the account as a friend to hear from us on LINE.",
    },
    "welcome_friend": {
        "ja": "友だち追加ありがとうございます。LINE のトークを開いてください。",
        "en": "Thank you for adding us. Open the chat in LINE.",
    },
    "friend_button": {"ja": "友だちに追加", "en": "Add as a friend"},
    "back_button": {"ja": "お店に戻る", "en": "Back to the shop"},
    "manage_title": {"ja": "つながりの確認", "en": "Your link"},
    "manage_customer": {"ja": "つながっている会員番号", "en": "Linked customer number"},
    "manage_since": {"ja": "つないだ日", "en": "Linked on"},
    "manage_none": {
        "ja": "この LINE アカウントは、どの会員情報ともつながっていません。",
        "en": "This LINE account is linked to no customer.",
    },
    "manage_what": {
        "ja": "解除すると、ご注文などに合わせたお知らせは届かなくなります。会員情報そのものは消えません。",
        "en": "After unlinking, messages that fit your orders stop. Your account itself stays.",
    },
    "unlink_button": {"ja": "つながりを解除する", "en": "Unlink"},
    "unlinked_title": {"ja": "解除しました", "en": "Unlinked"},
    "unlinked_what": {
        "ja": "LINE と会員情報のつながりを解除しました。反映まで数秒かかることがあります。",
        "en": "LINE and your account are no longer linked. It may take a few seconds to show.",
    },
    "preferences_title": {"ja": "受け取るお知らせの設定", "en": "What you hear from us"},
    "preferences_saved": {
        "ja": "保存しました。すでに送る準備に入っていたお知らせにも、すぐに反映されます。",
        "en": "Saved. It counts at once, also for what was about to be sent.",
    },
    "preferences_topics": {"ja": "受け取るお知らせ", "en": "Send me"},
    "preferences_hours": {"ja": "受け取る時間帯", "en": "At these hours"},
    "preferences_hours_what": {
        "ja": "おすすめやキャンペーンは、この時間帯にだけ届きます。ご注文などのお知らせは、その都度届きます。",
        "en": "Offers come at these hours only. News of your own orders comes when there is any.",
    },
    "preferences_from": {"ja": "開始", "en": "From"},
    "preferences_to": {"ja": "終了", "en": "To"},
    "preferences_any_time": {"ja": "いつでも", "en": "Any time"},
    "preferences_all": {"ja": "すべてのお知らせ", "en": "Everything"},
    "preferences_everything": {"ja": "LINE でお知らせを受け取る", "en": "Send me messages on LINE"},
    "preferences_everything_what": {
        "ja": "チェックを外すと、ご注文などの大切なお知らせも LINE には届かなくなります。",
        "en": "Without it, not even important news of your orders comes on LINE.",
    },
    "preferences_button": {"ja": "保存する", "en": "Save"},
    "cancelled_title": {"ja": "つなぐのをやめました", "en": "Nothing was linked"},
    "cancelled_what": {
        "ja": "LINE での同意が取り消されたため、何もつないでいません。お店の画面から、いつでもやり直せます。",
        "en": "You cancelled at LINE, so nothing was linked. You can start again from the shop at any time.",
    },
    "over_title": {"ja": "時間が過ぎたか、使い終わっています", "en": "Too late, or used already"},
    "over_what": {
        "ja": "この画面は10分間、1回だけ使えます。お店の画面から、もう一度始めてください。",
        "en": "This page works once, for ten minutes. Please start again from the shop.",
    },
    "disputed_title": {"ja": "確認が必要です", "en": "This needs a look"},
    "disputed_what": {
        "ja": "この LINE アカウントは、すでに別の会員情報とつながっています。ご自身の別の会員番号であれば、先にそちらのつながりを解除するか、お店にお問い合わせください。",
        "en": "This LINE account is linked to another customer account. If that is yours, unlink it first, or ask the shop.",
    },
    "used_title": {"ja": "この画面は使い終わっています", "en": "Used already"},
    "used_what": {
        "ja": "同じ画面は一度しか使えません。うまくいっていなければ、最初からやり直してください。",
        "en": "This page works only once. If something went wrong, please start again.",
    },
    "broken_title": {"ja": "リンクが正しくありません", "en": "This link is not right"},
    "broken_what": {
        "ja": "リンクが途中で切れているか、別のブラウザーで開かれています。お店の画面から、もう一度始めてください。",
        "en": "The link is cut off, or was opened in another browser. Please start again from the shop.",
    },
    "refused_title": {"ja": "つなげませんでした", "en": "Not linked"},
    "refused_what": {
        "ja": "LINE で確認できなかったため、何もつないでいません。お店の画面から、もう一度始めてください。",
        "en": "LINE could not confirm it, so nothing was linked. Please start again from the shop.",
    },
    "later_title": {"ja": "少し待ってから、もう一度", "en": "Please try again in a moment"},
    "later_what": {
        "ja": "ただいま確かめられませんでした。少し待ってから、最初からやり直してください。",
        "en": "We could not check it just now. Please wait a moment and start again.",
    },
    "nothing_here_title": {"ja": "ページがありません", "en": "There is no such page"},
    "nothing_here_what": {"ja": "リンクをご確認ください。", "en": "Please check the link."},
    "no_login_page_title": {"ja": "ここからはつなげません", "en": "Linking does not start here"},
    "no_login_page_what": {
        "ja": "お店の会員ページから始めてください。",
        "en": "Please start from your account page at the shop.",
    },
    "no_liff_title": {"ja": "LINE の中ではつなげません", "en": "Not available within LINE"},
    "no_liff_what": {
        "ja": "お店の画面から、LINE ログインでつないでください。",
        "en": "Please link with LINE Login from the shop.",
    },
}
