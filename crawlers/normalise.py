"""Draft + Page + Source -> Record: the only place where printed strings become values."""

from __future__ import annotations

# Draft.fields: our name -> what a parser puts there, always strings as printed. Anything may be absent.
FIELDS = {
    "references": "list of printed numbers, the most cited first; the key is added if it is missing",
    "jurisdictions": "list of country words or codes; absent: the facts' jurisdiction",
    "authority": "who issued it, as printed",
    "titles": "mapping language -> title",
    "texts": "list of {label, value, language}; language absent: the facts' language",
    "published": "date as printed",
    "adopted": "date as printed",
    "in_force": "date as printed",
    "comments_until": "date as printed",
    "withdrawn": "date as printed",
    "status": "word as printed; the facts map it under words.states or vocabulary/states.toml does",
    "status_since": "date as printed",
    "classification": "word as printed ('Class I', 'Serious risk')",
    "categories": "list of product category words",
    "products": "list of {name, brand, model, batch, barcodes, quantity, description}; barcodes is a list",
    "hazards": "list of hazard words",
    "hazard_prose": "a sentence in which hazards are named, where no list of words is printed",
    "measures": "list of {measure, operator, since}",
    "origins": "list of country words",
    "operators": "list of {name, role, country}; role: one of OperatorRole's values",
    "hs_codes": "list of printed HS codes",
    "ics_codes": "list of printed ICS codes",
    "cites": "list of printed numbers of other documents",
    "links": "list of {url, label, title}",
    "attachments": "list of {url, label, title}",
}
