"""Says of requests what botocore says, from botocore's own copy of the model: requests as a JSON list in, verdicts out.

A verdict has "model", the constraints of the model that are broken (all of them, read here from botocore's files and
checked by this file alone), and "botocore", the report of the validator that boto3 runs before it sends anything.
"""

import base64
import binascii
import json
import re
import sys
import unicodedata

import botocore.session
from botocore.validate import ParamValidator

CLASSES = {}


def characters(category):
    """The characters of a Unicode category, as the inside of a character class."""
    if not CLASSES:
        ranges = {}
        for point in range(sys.maxunicode + 1):
            spans = ranges.setdefault(unicodedata.category(chr(point))[0], [])
            if spans and spans[-1][1] == point - 1:
                spans[-1][1] = point
            else:
                spans.append([point, point])
        for name, spans in ranges.items():
            CLASSES[name] = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in spans)
    return CLASSES[category]


PATTERNS = {}


def matches(pattern, text):
    if pattern not in PATTERNS:
        translated = re.sub(r"\\p\{(\w)\}", lambda found: characters(found.group(1)), pattern).replace("||", r"\|")
        PATTERNS[pattern] = re.compile(f"(?:{translated})")
    return PATTERNS[pattern].fullmatch(text) is not None


def sized(shape, size):
    limits = shape.metadata
    return limits.get("min", 0) <= size <= limits.get("max", float("inf"))


def is_base64(value):
    try:
        base64.b64decode(value, validate=True)
        return isinstance(value, str)
    except (binascii.Error, TypeError, ValueError):
        return False


def string(shape, value, path):
    if not isinstance(value, str):
        return [f"{path}: type"]
    metadata = shape.metadata
    return (
        ([] if sized(shape, len(value)) else [f"{path}: length"])
        + ([] if "pattern" not in metadata or matches(metadata["pattern"], value) else [f"{path}: pattern"])
        + ([] if not metadata.get("enum") or value in metadata["enum"] else [f"{path}: enum"])
    )


def integer(shape, value, path):
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        return [f"{path}: type"]
    return [] if shape.metadata.get("min", -(2**31)) <= value <= shape.metadata.get("max", 2**31) else [f"{path}: range"]


def structure(shape, value, path):
    if not isinstance(value, dict):
        return [f"{path}: type"]
    given = {name: value[name] for name in shape.members if value.get(name) is not None}
    found = [f"{path}.{name}: required" for name in shape.required_members if name not in given]
    if getattr(shape, "is_tagged_union", False) and len(given) != 1:
        found.append(f"{path}: union")
    return found + [item for name, inner in given.items() for item in broken(shape.members[name], inner, f"{path}.{name}")]


def listed(shape, value, path):
    if not isinstance(value, list):
        return [f"{path}: type"]
    found = [] if sized(shape, len(value)) else [f"{path}: length"]
    return found + [item for index, inner in enumerate(value) for item in broken(shape.member, inner, f"{path}.{index}")]


def mapped(shape, value, path):
    if not isinstance(value, dict):
        return [f"{path}: type"]
    found = [] if sized(shape, len(value)) else [f"{path}: length"]
    for key, inner in value.items():
        found += broken(shape.key, key, f"{path} key") + broken(shape.value, inner, f"{path}.{key}")
    return found


def broken(shape, value, path):
    if getattr(shape, "is_document_type", False):
        return []
    checks = {"string": string, "integer": integer, "structure": structure, "list": listed, "map": mapped}
    if shape.type_name in checks:
        return checks[shape.type_name](shape, value, path)
    if shape.type_name == "blob":
        return [] if is_base64(value) else [f"{path}: type"]
    return [] if shape.type_name == "boolean" and isinstance(value, bool) else [f"{path}: type"]


def verdict(service, validator, request):
    shape = service.operation_model(request["operation"]).input_shape
    value = request["input"]
    return {
        "model": structure(shape, value, request["operation"]),
        "botocore": validator.validate(value, shape).generate_report(),
    }


def main():
    service = botocore.session.get_session().get_service_model("omics")
    validator = ParamValidator()
    print(json.dumps([verdict(service, validator, request) for request in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
