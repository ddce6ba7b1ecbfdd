"""The forms of the demo city, made of the short words of `data/kinds.toml`: see `resolvers.form_dialect` for what a
form may say.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from resolvers.form_dialect import DIALECT

Schema = dict[str, Any]
Field = Mapping[str, Any]
Options = Mapping[str, Sequence[Sequence[str]]]


def form(titles: Sequence[str], fields: Sequence[Field], options: Options) -> Schema:
    """Make a form; every field is required but the optional ones, and no other is taken."""
    return {"$schema": DIALECT, **_titled({"title": titles}, _object(fields, options))}


def _titled(given: Field, schema: Schema) -> Schema:
    french, english = given["title"]
    words: Schema = {"title": french, "x-title-en": english}
    if "help" in given:
        words["description"], words["x-description-en"] = given["help"]
    if "from" in given:
        words["x-prefill"] = given["from"]
    return {**words, **schema}


def _object(fields: Sequence[Field], options: Options) -> Schema:
    names = [field["name"] for field in fields]
    return {
        "type": "object",
        "properties": {field["name"]: _titled(field, _field(field, options)) for field in fields},
        "required": [field["name"] for field in fields if not field.get("optional")],
        "additionalProperties": False,
        "x-order": names,
    }


def _field(field: Field, options: Options) -> Schema:
    """Make the schema of a field, without its titles."""
    match field["is"]:
        case "text":
            return {"type": "string", "minLength": 1, "maxLength": field.get("longest", 200)}
        case "pattern":
            return {"type": "string", "pattern": field["pattern"]}
        case "day":
            return {"type": "string", "format": "date"}
        case "yes_no":
            return {"type": "boolean"}
        case "number":
            return {"type": "integer", "minimum": field["least"], "maximum": field["most"]}
        case "choice":
            return _choice(options[field["options"]])
        case "several":
            items = _choice(options[field["options"]])
            return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
        case "object":
            return _object(field["fields"], options)
    raise ValueError(f"no field is {field['is']!r}")


def _choice(options: Sequence[Sequence[str]]) -> Schema:
    constants = [{"const": value, "title": french, "x-title-en": english} for value, french, english in options]
    return {"type": "string", "oneOf": constants}
