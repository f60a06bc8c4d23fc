"""Wording: every sentence a mail says, in both languages, whole sentences each."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from alerts.reasons import STEP
from indexer.entry import WORD_FIELDS
from indexer.query import Reason, word_values
from library.record import Record
from library.vocabulary import categories, countries, hazards, measures, states

LANGUAGES = ("zh", "en")
TELLING = ("title", "product", "brand", "company", "reference", "text", "labels")
# Marks that show nothing and turn the reading order around, or split a word unseen.
INVISIBLE = frozenset(
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "immediate": "以下内容刚刚与您的订阅相符。",
        "daily": "以下是过去一天与您的订阅相符的内容。",
        "hourly": "以下是过去一小时与您的订阅相符的内容。",
        "weekly": "以下是过去一周与您的订阅相符的内容。",
        "nothing": "在此期间没有与您的订阅相符的新内容。",
        "nothing_subject": "[ttm] {watch}：没有新内容，全部 {total} 个来源均已查看",
        "nothing_unseen_subject": "[ttm] {watch}：没有新内容，但有 {unseen} 个来源未能查看",
        "coverage": "来源查看情况：",
        "covers": "本次说明涵盖 {begun} 至 {ended}（{zone}）。",
        "all_seen": "全部 {total} 个来源均已查看，时间从 {first} 到 {last}（{zone}）。",
        "some_seen": "{total} 个来源中有 {seen} 个已查看，时间从 {first} 到 {last}（{zone}）。",
        "none_seen": "{total} 个来源自 {since}（{zone}）起均未能查看，不能据此认为没有变化。",
        "unseen": "未能查看：{source}（{reason}；最近一次成功：{last}），不能据此认为没有变化。",
        "not_tried": "尚未查看：{source}（最近一次成功：{last}），不能据此认为没有变化。",
        "handed_in": "人工导入：{source}（最近一次：{last}）。",
        "never": "从未",
        "deadline": "临近",
        "deadline_today": "{field}：{day}（今天）",
        "deadline_near": "{field}：{day}（还有 {left} 天）",
        "last_workday": "此前中国大陆最后一个工作日：{day}",
        "last_workday_unsure": "此前最后一个工作日：{day}（当年放假安排尚未公布，仅排除周末）",
        "holidays_unknown": "{years} 年的放假安排尚未公布，这些日期仅排除周末。",
        "changed": "{field}：由“{old}”改为“{new}”",
        "replaced": "{field}：增加“{new}”，删除“{old}”",
        "gained": "{field}：增加“{new}”",
        "dropped": "{field}：删除“{old}”",
        "manage": "管理此订阅",
        "consent_subject": "[ttm] 请确认订阅：{watch}",
        "consent_intro": "有人请求将与“{watch}”相符的新内容发送到这个地址。",
        "consent_link": "如果您需要，请打开以下链接并确认：",
        "consent_rest": "如果不是您本人的请求，不必理会；{days} 天内不确认，就不会再收到邮件。",
        "expiry_subject": "[ttm] 订阅即将到期：{watch}",
        "expiry_intro": "订阅“{watch}”已近一年没有变动，将于 {day} 结束。",
        "expiry_link": "如果仍然需要，请打开以下链接并保存一次：",
        "expiry_rest": "不需要的话不必理会，{day} 之后不再发送。",
        "word": "{field}含“{words}”",
        "as_printed": "{field}含“{words}”（{said}）",
        "by_term": "{field}含“{words}”（词库：{said} → {words}）",
        "code": "{field}={words}",
        "by_code": "{field}={words}（词库：{said} → {words}）",
        "robot_rest": "另有 {count} 条未列出。",
        "robot_list": "查看全部 {count} 条",
        "robot_unknown": "没有这个机器人：地址中的令牌不对，或机器人已被移除，请重新填写地址。",
        "robot_closed": "机器人已停用，或群聊已解散，请换一个地址。",
        "robot_unsafe": "机器人的安全设置不接受本消息：请核对签名密钥、关键词和 IP 白名单，以及本机时间。",
        "robot_words": "机器人的关键词或内容审核不接受本消息，请修改机器人的安全设置。",
        "robot_format": "机器人不接受这种消息格式，请换一个机器人。",
        "all_items": "全部内容",
        "added": "新",
        "amended": "更新",
        "withdrawn": "撤回",
        "restored": "恢复",
        "late": "补报：该页面当时未能读取，现已读取。",
        "why": "为什么收到",
        "for": "订阅“{watch}”",
        "generated": "{line}（由编码自动生成）",
        "several": "{watch}等 {count} 个订阅",
        "published": "发布日期：{day}",
        "undated": "发布日期：未印",
        "record": "在本库查看",
        "original": "查看原文",
        "unread_title": "（标题为空）",
        "of_market": "{market}：{count} 条",
        "more": "另有 {count} 条，仅列标题：",
        "rest": "此外还有 {count} 条未在邮件中列出，完整清单（内容固定，不随检索变化）：",
        "full_list": "完整清单：{watch}",
        "watches": "本邮件来自您的订阅：",
        "query": "检索式：{query}",
        "end_one": "取消此订阅",
        "end_all": "取消本邮件中的全部订阅",
        "attribution": "数据来源：",
        "disclaimer": "中文说明由编码自动生成，以发布机构的原文为准。",
        "practice": "演示数据：内容为虚构。",
        "and": "，",
        "stop": "。",
        "semicolon": "；",
        "colon": "：",
        "list": "、",
    },
    "en": {
        "immediate": "The following has just matched your watch.",
        "daily": "The following matched your watch during the past day.",
        "hourly": "The following matched your watch during the past hour.",
        "weekly": "The following matched your watch during the past week.",
        "nothing": "Nothing new matched your watch in this time.",
        "nothing_subject": "[ttm] {watch}: nothing new, all {total} sources seen",
        "nothing_unseen_subject": "[ttm] {watch}: nothing new, but {unseen} sources could not be seen",
        "coverage": "What was looked at:",
        "covers": "This covers the time from {begun} to {ended} ({zone}).",
        "all_seen": "All {total} sources were seen, between {first} and {last} ({zone}).",
        "some_seen": "{seen} of {total} sources were seen, between {first} and {last} ({zone}).",
        "none_seen": "None of {total} sources could be seen since {since} ({zone}); nothing may be concluded from that.",
        "unseen": "Could not be seen: {source} ({reason}; last seen: {last}); nothing may be concluded from that.",
        "not_tried": "Not looked at yet: {source} (last seen: {last}); nothing may be concluded from that.",
        "handed_in": "Handed in by people: {source} (last time: {last}).",
        "never": "never",
        "deadline": "Near",
        "deadline_today": "{field}: {day} (today)",
        "deadline_near": "{field}: {day} ({left} days left)",
        "last_workday": "The last workday in mainland China before it: {day}",
        "last_workday_unsure": "The last workday before it: {day} (holidays of that year are not announced; weekends only)",
        "holidays_unknown": "The holidays of {years} are not announced yet; for these days only weekends are left out.",
        "changed": "{field}: “{old}” is now “{new}”",
        "replaced": "{field}: “{new}” was added, “{old}” removed",
        "gained": "{field}: “{new}” was added",
        "dropped": "{field}: “{old}” was removed",
        "manage": "Manage this watch",
        "consent_subject": "[ttm] Please confirm your watch: {watch}",
        "consent_intro": "Somebody asked that what is new about “{watch}” be mailed to this address.",
        "consent_link": "If you want that, open this link and agree:",
        "consent_rest": "If it was not you, do nothing; without an answer in {days} days no more mail will come.",
        "expiry_subject": "[ttm] Your watch is about to end: {watch}",
        "expiry_intro": "Your watch “{watch}” has not been touched for almost a year and will end on {day}.",
        "expiry_link": "If you still want it, open this link and save it once:",
        "expiry_rest": "If not, do nothing; after {day} it brings no more mail.",
        "word": "“{words}” in the {field}",
        "as_printed": "“{words}” in the {field} ({said})",
        "by_term": "“{words}” in the {field} (term bank: {said} → {words})",
        "code": "{field}={words}",
        "by_code": "{field}={words} (term bank: {said} → {words})",
        "robot_rest": "{count} more are not listed here.",
        "robot_list": "See all {count}",
        "robot_unknown": "There is no such robot: its address has a wrong token, or it was removed; enter its address anew.",
        "robot_closed": "The robot is switched off, or its chat is gone; enter another address.",
        "robot_unsafe": "The robot's safety settings refuse this: check secret, key words, IP list and this machine's clock.",
        "robot_words": "The robot's key words or its review of content refuse this; change its safety settings.",
        "robot_format": "The robot does not take this kind of message; use another one.",
        "all_items": "everything of this mail",
        "added": "New",
        "amended": "Amended",
        "withdrawn": "Withdrawn",
        "restored": "Restored",
        "late": "Late: the page could not be read when it came and has been read now.",
        "why": "Why you receive this",
        "for": "watch “{watch}”",
        "generated": "{line} (generated from codes)",
        "several": "{watch} and {count} more",
        "published": "Published: {day}",
        "undated": "Published: not printed",
        "record": "See it in the library",
        "original": "See the original",
        "unread_title": "(no title)",
        "of_market": "{market}: {count}",
        "more": "{count} more, by title only:",
        "rest": "{count} more are not listed in this mail; the full list, as it stood:",
        "full_list": "Full list: {watch}",
        "watches": "This mail comes from your watches:",
        "query": "Query: {query}",
        "end_one": "End this watch",
        "end_all": "End all watches of this mail",
        "attribution": "Sources:",
        "disclaimer": "Lines generated from codes are an aid; the publisher's own text counts.",
        "practice": "Practice data: the content is invented.",
        "and": ", ",
        "stop": ".",
        "semicolon": "; ",
        "colon": ": ",
        "list": ", ",
    },
}

# Why something cannot be a watch. Clauses without a full stop: a page says 'it cannot be saved:' before them.
REFUSALS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "no_value": "{category} 不需要填写内容",
        "value": "填写的内容不能含引号和括号：{value}",
        "no_watch": "没有正在进行的订阅 {watch}",
        "many": "{recipient} 已有 {count} 个订阅，同一地址最多 {most} 个",
        "asked": "今天已向 {recipient} 发送 {count} 次确认邮件，明天才能再发",
        "address_break": "邮件地址中有换行",
        "address_missing": "没有填写邮件地址",
        "address_several": "只能填写一个邮件地址，“{character}”表示有多个",
        "address_group": "只能填写一个邮件地址，“{character}”表示一组地址",
        "address_letters": "邮件地址中有非 ASCII 字符；域名请写成 xn-- 形式",
        "address": "“{address}”不是邮件地址，写法如 name@example.org",
        "cadence": "频率只能是 {known} 之一，不能是“{cadence}”",
        "language": "邮件语言只能是 {known} 之一，不能是“{language}”",
        "zone": "没有时区“{zone}”，写法如 Asia/Shanghai",
        "actions": "至少选择一种要通知的变化（{known}），现在是：{actions}",
        "quiet": "免打扰时段的写法如 22:00-07:00，不能是“{quiet}”",
        "days_before": "期限前的天数为 1 到 {most}，不能是 {days}",
        "hook": "“{hook}”不是网址，写法如 https://example.org/hook",
        "hook_open": "{host} 的机器人只能用 https 地址",
        "hook_secret": "签名密钥最多 {most} 个字符，只能是可见的 ASCII 字符",
    },
    "en": {
        "no_value": "{category} needs no value",
        "value": "a value holds no quotes and no brackets: {value}",
        "no_watch": "there is no watch '{watch}' that goes on",
        "many": "{recipient} has {count} watches, and no more than {most} are kept for one address",
        "asked": "{recipient} has been asked {count} times today; it is asked again tomorrow",
        "address_break": "the address contains a line break",
        "address_missing": "an address is needed",
        "address_several": "one address is needed, and '{character}' stands for several addresses",
        "address_group": "one address is needed, and '{character}' stands for a group of addresses",
        "address_letters": "the address has letters outside ASCII; write the domain in its xn-- form",
        "address": "'{address}' is not a mail address like name@example.org",
        "cadence": "the cadence is one of {known}, and not '{cadence}'",
        "language": "mails are written in one of {known}, and not in '{language}'",
        "zone": "'{zone}' is no time zone; one is 'Asia/Shanghai'",
        "actions": "a watch hears of some of {known}, and not of: {actions}",
        "quiet": "a quiet time is written like 22:00-07:00, and not '{quiet}'",
        "days_before": "a deadline is told 1 to {most} days before, and not {days}",
        "hook": "'{hook}' is not a web address like https://example.org/hook",
        "hook_open": "a robot of {host} is called by https only",
        "hook_secret": "a signing secret has at most {most} characters, visible ones of ASCII",
    },
}

# One and many: '3 recalls', '召回 3 条'.
COUNTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "zh": {
        "regulation": ("法规 1 条", "法规 {count} 条"),
        "standard": ("标准 1 条", "标准 {count} 条"),
        "notification": ("通报 1 条", "通报 {count} 条"),
        "recall": ("召回 1 条", "召回 {count} 条"),
        "rejection": ("拒绝入境 1 条", "拒绝入境 {count} 条"),
        "record": ("共 1 条", "共 {count} 条"),
    },
    "en": {
        "regulation": ("1 regulation", "{count} regulations"),
        "standard": ("1 standard", "{count} standards"),
        "notification": ("1 notification", "{count} notifications"),
        "recall": ("1 recall", "{count} recalls"),
        "rejection": ("1 rejection", "{count} rejections"),
        "record": ("1 record", "{count} records"),
    },
}

KINDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "regulation": "法规",
        "standard": "标准",
        "notification": "通报",
        "recall": "召回",
        "rejection": "拒绝入境",
    },
    "en": {
        "regulation": "regulation",
        "standard": "standard",
        "notification": "notification",
        "recall": "recall",
        "rejection": "border rejection",
    },
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "title": "标题",
        "product": "产品",
        "brand": "品牌",
        "company": "企业",
        "reference": "编号",
        "labels": "分类词",
        "text": "正文",
        "kind": "类型",
        "source": "来源",
        "jurisdiction": "市场",
        "origin": "原产地",
        "hazard": "危害",
        "category": "类别",
        "measure": "措施",
        "status": "状态",
        "classification": "等级",
        "year": "年份",
        "language": "语言",
        "hs": "HS 编码",
        "ics": "ICS 分类",
        "id": "记录号",
        "published": "发布日期",
        "adopted": "通过日期",
        "in_force": "生效日期",
        "comments_until": "评议截止日期",
        "withdrawn": "撤回日期",
        "links": "链接",
        "attachments": "附件",
        "cites": "引用文件",
        "authority": "主管机构",
    },
    "en": {
        "title": "title",
        "product": "product",
        "brand": "brand",
        "company": "company",
        "reference": "reference",
        "labels": "codes in words",
        "text": "text",
        "kind": "kind",
        "source": "source",
        "jurisdiction": "market",
        "origin": "origin",
        "hazard": "hazard",
        "category": "category",
        "measure": "measure",
        "status": "status",
        "classification": "class",
        "year": "year",
        "language": "language",
        "hs": "HS code",
        "ics": "ICS code",
        "id": "record",
        "published": "published",
        "adopted": "adopted",
        "in_force": "in force",
        "comments_until": "comments until",
        "withdrawn": "withdrawn",
        "links": "links",
        "attachments": "attachments",
        "cites": "documents cited",
        "authority": "authority",
    },
}


def sentence(language: str, name: str, **values: object) -> str:
    """One sentence in a language."""
    return SENTENCES[language][name].format(**values)


def refusal(language: str, name: str, /, **values: object) -> str:
    """Why something cannot be a watch, in a language; what people typed stands on one line of it."""
    return REFUSALS[language][name].format(**{key: clean(str(value), 200) for key, value in values.items()})


def counted(language: str, kind: str, count: int) -> str:
    """A number of records of a kind.

    >>> counted("en", "recall", 3), counted("zh", "recall", 3)
    ('3 recalls', '召回 3 条')
    """
    one, many = COUNTED[language][kind]
    return one if count == 1 else many.format(count=count)


def generated_line(record: Record, language: str) -> str:
    """What the codes of a record say, in the reader's language: '市场：欧盟；类别：玩具；危害：窒息；原产地：中国'."""
    values = {
        "jurisdiction": [
            _label("jurisdiction", coded.code, language) or clean(coded.printed, 60) for coded in record.jurisdictions
        ],
        "kind": [KINDS[language][record.kind.value]],
        "category": [
            _label("category", coded.code, language) or clean(coded.printed, 60) for coded in record.categories
        ],
        "hazard": [_label("hazard", coded.code, language) or clean(coded.printed, 60) for coded in record.hazards],
        "measure": [
            _label("measure", measure.code, language) or clean(measure.printed, 60) for measure in record.measures
        ],
        "origin": [_label("origin", coded.code, language) or clean(coded.printed, 60) for coded in record.origins],
    }
    words = SENTENCES[language]
    return words["semicolon"].join(
        FIELDS[language][field] + words["colon"] + words["list"].join(dict.fromkeys(found))
        for field, found in values.items()
        if found
    )


def market(record: Record, language: str) -> str:
    """The first market of a record, as printed where no code is known: '欧盟'."""
    first = record.jurisdictions[0]
    return _label("jurisdiction", first.code, language) or clean(first.printed, 60)


def reason_line(reasons: Sequence[Reason], language: str) -> str:
    """Say why a record was selected, one part per clause of the query: '原产地=中国；标题含“choking”（窒息）'."""
    clauses: dict[str, list[Reason]] = {}
    for reason in reasons:
        clauses.setdefault(reason.clause, []).append(reason)
    told = [min(found, key=_telling) for found in clauses.values()]
    return SENTENCES[language]["semicolon"].join(dict.fromkeys(_reason(reason, language) for reason in told))


def _telling(reason: Reason) -> int:
    """Of the fields one clause was found in, a reader is told of the one that says most."""
    return TELLING.index(reason.field) if reason.field in TELLING else len(TELLING) // 2


def _reason(reason: Reason, language: str) -> str:
    if reason.field not in FIELDS[language]:
        return clean(reason.clause, 100)
    field = FIELDS[language][reason.field]
    labels = [_way(reason.field, word, language) for word in reason.words]
    words = SENTENCES[language]["list"].join(labels)
    said = clean(reason.clause, 60)
    if reason.field not in WORD_FIELDS:
        # a code that was found by a word the reader typed: the term bank leads from one to the other
        known = {_way(reason.field, word, one).casefold() for word in reason.words for one in LANGUAGES}
        by_word = ":" not in reason.clause and said.casefold() not in known
        return sentence(language, "by_code" if by_word else "code", field=field, words=words, said=said)
    if reason.clause in reason.words:
        name = "word"
    else:
        own = {value for word in reason.clause.split() for value in word_values(word)}
        found = {value for words in reason.words for word in words.split() for value in word_values(word)}
        name = "as_printed" if own & found else "by_term"
    return sentence(language, name, field=field, words=words, said=said)


def _way(field: str, word: str, language: str) -> str:
    """A word, a code in words, or each step of a way down a tree: '玩具 › 气球'."""
    steps = word.split(STEP) if field not in WORD_FIELDS else [word]
    return " › ".join(_label(field, step, language) or clean(step, 60) for step in steps)


def clean(text: str, limit: int) -> str:
    """One line of what somebody else wrote: no line breaks, no controls, nothing that turns the text around, cut.

    >>> clean("Toy\\r\\nBcc: a@b\\u202egnp", 40)
    'Toy Bcc: a@bgnp'
    """
    shown = "".join(_shown(character) for character in text[: limit * 4])
    line = " ".join(shown.split())
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1].rstrip() + "…"


def _shown(character: str) -> str:
    if character in INVISIBLE or unicodedata.category(character) in ("Cs", "Co"):
        return ""
    return " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character


def _label(field: str, code: str | None, language: str) -> str | None:
    """The wording of a code; None where the field has no codes or the code is not known."""
    if not code:
        return None
    try:
        match field:
            case "jurisdiction" | "origin":
                return countries.country_name(code, language)
            case "hazard":
                return hazards.label(code, language)
            case "category":
                return categories.label(code, language)
            case "measure":
                return measures.label(code, language)
            case "status":
                return states.label(code, language)
            case "kind":
                return KINDS[language][code]
    except (KeyError, ValueError):  # a code that an older version of the vocabulary gave
        return code
    return None
