"""Write the first draft of a source: facts, spider and golden page, for a person to fill in."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[a-z]{2,5}_[a-z][a-z0-9_]*")

FACTS = """\
name = "{name}"
title = {{ zh = "（中文名）", en = "(name)" }}
publisher = {{ zh = "（发布机构）", en = "(publisher)" }}
home = "https://www.example.org/recalls"
jurisdiction = "{jurisdiction}"
language = "en"
kinds = ["recall"]
rights = "(licence, and what it asks for)"
attribution = "(the sentence that must stand beside a record)"
hosts = ["www.example.org"]
dates = ["%Y-%m-%d"]

[pages.list]
pattern = '^https://www\\.example\\.org/recalls\\.json'

[expect]
drafts_min = 1
quiet_days = 30
"""

SPIDER = '''\
"""(Publisher): (what it publishes)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from crawlers.fields import take
from crawlers.page import Draft, Finding, Follow, as_json
from crawlers.spider import SourceSpider
from library.page import Page

FIELDS = {{"key": "number", "title": "title", "published": "date"}}
IGNORED: frozenset[str] = frozenset()


class {class_name}(SourceSpider):
    """(What it publishes, and who.)

    Pages       one JSON document
    Dates       'yyyy-mm-dd'
    Reference   number
    Gaps        (what the publisher leaves out)
    """

    name = "{name}"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        yield Follow(url="https://www.example.org/recalls.json", kind="list")

    def read(self, page: Page) -> Iterator[Finding]:
        for row in as_json(page):
            taken, unread = take(row, FIELDS, ignore=IGNORED)
            fields = {{"titles": {{"en": taken.pop("title", "")}}, "published": taken.get("published", "")}}
            yield Draft(kind="recall", key=taken.get("key", ""), fields=fields, unread=unread)
'''

GOLDEN = """\
URL: https://www.example.org/recalls.json
Kind: list
Status: 200
Content-Type: application/json; charset=utf-8

[{"number": "2026-001", "title": "(invented, in the publisher's exact shape)", "date": "2026-03-01"}]
"""


def write_first_draft(name: str, root: Path = ROOT) -> list[Path]:
    """Write the three files and say where. Raises ValueError for a name that is none, FileExistsError for one in use."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"a source is named jurisdiction_name in lower case, like 'au_accc_recalls', and {name!r} is not"
        )
    jurisdiction, _, rest = name.partition("_")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    files = {
        root / "config" / "sources" / jurisdiction / f"{rest}.toml": FACTS.format(
            name=name, jurisdiction=jurisdiction.upper()
        ),
        root / "crawlers" / "spiders" / jurisdiction / f"{rest}.py": SPIDER.format(name=name, class_name=class_name),
        root / "tests" / "golden" / name / "list.http": GOLDEN,
    }
    taken = next((path for path in files if path.exists()), None)
    if taken is not None:
        raise FileExistsError(f"{taken} is there already")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    package = root / "crawlers" / "spiders" / jurisdiction / "__init__.py"
    if not package.exists():
        package.write_text(f'"""Sources of {jurisdiction.upper()}."""\n', encoding="utf-8")
    return list(files)
