"""What an editor shows of each key of a playbook: one line, by form. Message keys are told beside their fields."""

_KINDS = (
    "Message kinds: support helps, notification tells of the customer's own doing or dates, promotion sells."
)
_HOLD = "How long a message waits where a cap refuses it, instead of being dropped."
_EXPIRES = "After this long a message that still waits is never sent; at most 8d."
_NEEDS = "Sources that must be fresh when it sends."
_HOLDOUT = "So many percent of people get none of it, so that its effect can be measured."
_NAME = "The file's own name."
_OWNER = "The team that answers for it."
_SWITCH = "Switch: nothing is sent while it is false."
_PRIORITY = "One of the priorities of playbook.yaml; who is further up gets a contested slot."
_PURPOSES = "Purposes of consent of which one is enough; an empty list needs none."
_YEN = "Yen"

MEANINGS: dict[str, dict[str, str]] = {
    "SettingsForm": {
        "account": "The name of the LINE account.",
        "zone": "Time zone of schedules, such as Asia/Tokyo; quiet hours go by the customer's own.",
        "caps": "How many messages one person gets.",
        "quiet_hours": "When messages wait.",
        "consent": "Which consent each kind of message needs.",
        "exclusions": "Who gets no messages of some kinds: an open case (inquiry, complaint, refund), or a condition.",
        "holdout": "People who get nothing, so that the effect of everything can be measured.",
        "sources": "Sources of events, and how fresh their data must be.",
        "price": "What LINE's plan costs, and limits of our own.",
        "breaker": "When a campaign, scenario or segment stops because too many people block the account after it.",
        "approval": "From which size on a campaign waits for a second person; none needs it unless given.",
        "erasure": "What follows an erasure.",
        "retention": "How long what no profile needs is kept; all of it for good unless given.",
        "linking": "How LINE users and customers are tied.",
        "links": "Links that tell who tapped them.",
        "preferences": "What people may choose for themselves, by a word in the chat or on their page.",
        "measure": "What an order is and brings, and which goals messages are measured by.",
        "rich_menus": "Our name of a rich menu → LINE's id of it.",
        "priorities": "From the most to the least important.",
    },
    "LinksForm": {
        "track": "Whether links in buttons, cards and image maps lead by us, so that taps are counted.",
        "expires": "For how long such a link is good, such as 30d.",
        "to": "The only origins that tracked links lead to, such as https://shop.example.",
        "in_text": "Whether addresses that stand in texts are tracked too: they become long.",
        "insight": "Whether sends bear LINE's aggregation units, so that LINE tells how often messages were opened.",
    },
    "PreferencesForm": {
        "words": "Words that, typed in the chat as a whole message, stop messages or let them come again.",
        "stops": "What a word stops: promotion (support and notifications still come), or all.",
        "topics": "Categories of messages that the page offers, each with the name that it shows.",
        "hours": "Whether the page offers the hours in which promotions may come.",
    },
    "WordsForm": {"stop": "Words that stop.", "resume": "Words that let messages come again."},
    "CapForm": {
        "id": "The cap's name in reports.",
        "kinds": _KINDS,
        "categories": "Only messages of these categories; all unless given.",
        "limit": "How many messages at most.",
        "window": "Rolling window, such as 7d.",
        "calendar": "The customer's own day, week or month, instead of a rolling window.",
        "hold_up_to": _HOLD,
    },
    "ExclusionForm": {"kinds": _KINDS, "when": "A condition over the customer."},
    "HoldoutForm": {"percent": "Percent of all people.", "kinds": _KINDS},
    "ErasureForm": {
        "follow_again": "An erased LINE user who follows again: stay_out (unknown for good), or new_person (anonymous, anew)."
    },
    "RetentionForm": {
        "sends": "How long the send log is kept, 35d or more.",
        "per_event": "Kinds of LINE's events that no profile counts, such as line_beacon: how long they are kept, 35d or more.",
        "events": "Not to be given: profiles are folded anew from all events.",
    },
    "SourceForm": {
        "fresh_for": "How old its data may be: up to when it is complete, not when something was heard.",
        "expect": "The files that it sends; without it, it tells things as they happen.",
    },
    "ExpectForm": {
        "every": "A file within every so long, such as 1d.",
        "by": 'The local time by which it is there, such as "06:00".',
        "rows_within": "How many more or fewer rows than usual it may have, such as 50%; the usual is the median of the last 7.",
    },
    "PriceForm": {
        "plan_yen": f"{_YEN} a month for the plan.",
        "free_messages": "Messages a month within the plan.",
        "yen_each": f"{_YEN} for each message beyond.",
        "messages_max": "So many messages a month at most, or fewer where LINE's own limit is lower; then what matters less waits.",
        "yen_max": "So many yen a month at most, the plan included; then what matters less waits.",
        "reserve_percent": "Percent of the month kept back from campaigns for promotions of scenarios, and from those for the rest.",
    },
    "LinkingForm": {
        "conflict": "A LINE user whom two customers claim: review (somebody decides), keep (the first) or move (the last).",
        "several_line_users": "A customer's further LINE users: all stay linked and messages go to the newest; newest: it alone stays; review.",
        "login_page": "The shop's own login page, to which a link in the chat leads.",
        "return_to": "Origins, such as https://shop.example, that the pages may lead back to; no other.",
        "consent": "What people are asked to agree to on the linking page.",
        "reward": "Whether the shop's server may ask for a reward when it begins a link.",
    },
    "ConsentAskedForm": {
        "purpose": "The purpose, as consent and events name it.",
        "version": "The version of these words; other words are another version.",
        "text": "The words beside the check box.",
        "text_en": "The same in English; the words above unless given.",
    },
    "ApprovalForm": {"above": "A campaign for more people than these waits for musubi approve."},
    "BreakerForm": {
        "on": "Switch: nothing is watched while it is false.",
        "block_rate_percent": "More blocks than so many percent of the messages sent stop their source.",
        "sends_min": "Fewer messages than these say nothing.",
        "window": "A block counts for what the person was sent so long before; at most 72h.",
    },
    "MeasureForm": {
        "order": "The event that is an order; events that amend it take back from it.",
        "id": "Its property that names the order; the one that corrections name it by unless given.",
        "value": "Its property that is the amount in yen; the first that is summed unless given.",
        "category": "Its property that is the category; category unless given.",
        "item": "Its property that is the item; item unless given.",
        "gross_profit": "What is left of the amount; all of it unless given.",
        "coupon_cost": "The event of a used coupon, and what it took off.",
        "viewed": "The event of somebody looking at something, and the property that says at what.",
        "dormant": "Who has not ordered for longer is dormant, and won back by the next order.",
        "goals": "Name → what messages are sent for; the first is what KPIs mean by a conversion. The order within 7d unless given.",
    },
    "ProfitForm": {
        "margin": "So much of the amount, such as 40%.",
        "property": "The order's property that is its gross profit in yen.",
    },
    "ViewedForm": {"event": "The event.", "item": "Its property that says at what."},
    "CouponForm": {"event": "The event.", "value": "Its property that is the discount in yen."},
    "GoalForm": {
        "event": "The event that is the goal.",
        "within": "How long after a message it counts as its doing; at most 90d, 7d unless given.",
        "when_number": "Only somebody's so-manieth order, such as 2.",
    },
    "QuietForm": {
        "from": 'Local time of the customer, such as "21:00".',
        "to": 'Local time of the customer, such as "07:00"; may be the next morning.',
        "kinds": _KINDS,
    },
    "ConsentForm": {"promotion": _PURPOSES, "notification": _PURPOSES, "support": _PURPOSES},
    "EventForm": {
        "meaning": "What happened, in words that every department understands.",
        "as": "The word by which segments read it: orders.count.",
        "verb": 'A word for "has happened with this value": bought("skincare").',
        "keep": "How long single occurrences are remembered, for windows; whole days.",
        "amends": "Which earlier event this one corrects.",
        "properties": "What is told with it.",
    },
    "AmendsForm": {
        "event": "The earlier event.",
        "by": "The property whose value both share.",
        "less": "This event's property → the sum of the earlier one that it lessens; all is taken back unless given.",
    },
    "PropertyForm": {
        "type": "What its values are.",
        "required": "Events without it are rejected.",
        "sum": "Keep its sum: orders.amount.",
        "index": 'Remember each value: "skincare" in orders.category.',
        "attribute": "Its newest value is the customer's attribute of this name.",
        "unit": "Such as JPY.",
        "meaning": "What it says.",
    },
    "SegmentForm": {
        "when": "The expression: who belongs to it.",
        "meaning": "Who these people are.",
        "report": "Kept to be counted, though nothing is sent by it.",
    },
    "CampaignForm": {
        "name": _NAME,
        "segment": "To whom.",
        "message": "What.",
        "owner": _OWNER,
        "on": _SWITCH,
        "schedule": "When.",
        "priority": _PRIORITY,
        "expires_after": _EXPIRES,
        "hold_up_to": _HOLD,
        "needs": _NEEDS,
        "holdout": _HOLDOUT,
        "yen_max": f"{_YEN} that one run may cost, each message at price.yen_each; who is left then waits.",
    },
    "ScheduleForm": {
        "every": "Weekly, on this day.",
        "at": 'At this time: "12:00".',
        "once": 'Once: "2026-11-27 12:00".',
    },
    "ExperimentForm": {
        "changes": "The one thing in which its variants differ.",
        "variants": "Variant → weight: how many people get it, in relation to the others.",
        "goal": "What decides which is better, in words.",
        "measures": "The goal of measure in playbook.yaml that is counted; its first unless given.",
        "owner": _OWNER,
    },
    "ScenarioForm": {
        "name": _NAME,
        "desired_action": "What people shall do, in one line.",
        "target": "The number today, and the one that it shall become.",
        "owner": _OWNER,
        "on": _SWITCH,
        "priority": _PRIORITY,
        "entry": "What starts a journey.",
        "reentry": "never, or after 90d: when the same person may start again.",
        "exit": "A condition that ends the journey wherever it is.",
        "goal": "The condition that it is all for; it ends the journey too.",
        "concurrency": "How it gets on with other scenarios.",
        "holdout": _HOLDOUT,
        "needs": _NEEDS,
        "migrate": "Old step → step here, for journeys that are under way; they stay on their version unless given.",
        "steps": "What happens, from top to bottom.",
    },
    "EntryForm": {
        "event": "The event that starts it.",
        "segment": "The segment whose entering or leaving starts it.",
        "on": "entered or left.",
        "fresh_for": "An event older than this starts nothing.",
        "when": "A condition that must hold then.",
    },
    "ConcurrencyForm": {
        "not_with": "No journey begins while one through these goes on.",
        "replaces": "Journeys through these end when one begins here.",
    },
    "StepForm": {
        "send": "Send a message.",
        "survey": "Ask a survey of surveys/, one question after the other; what was answered is not asked again.",
        "wait": "Wait: for a while, until a time, or for something to happen.",
        "branch": "Go the way of the first case that holds.",
        "split": "Go the way of the person's variant of an experiment.",
        "tag": "Add a tag, or take it away.",
        "set": "Set an attribute: one name, one value.",
        "rich_menu": "Show a rich menu of playbook.yaml, or default.",
        "end": "The journey ends here.",
    },
    "SendForm": {
        "message": "The message's name.",
        "name": "The step's own name; the message's unless given.",
        "expires_after": _EXPIRES,
        "tolerance": "A step more overdue than this is not sent, and ends the journey.",
        "hold_up_to": _HOLD,
    },
    "WaitForm": {
        "for": "So long, such as 3h.",
        "day": "This many calendar days after the beginning; with at.",
        "at": 'A local time of the customer, such as "19:00".',
        "event": "For this event; with timeout.",
        "until": "Until this condition holds; with timeout.",
        "timeout": "How long at most.",
        "then": "Steps when it came.",
        "on_timeout": "Steps when it did not come.",
    },
    "CaseForm": {
        "when": "The condition.",
        "steps": "Steps where it holds.",
        "otherwise": "Steps where no case holds.",
    },
    "TagForm": {"add": "The tag to add.", "remove": "The tag to take away."},
    "SplitForm": {
        "experiment": "An experiment of experiments.yaml.",
        "variants": "The steps of each of its variants.",
    },
}
"""Form → key as it is written → what it means."""
