"""
Files in S3 that a Nextflow run names: in its parameters, and in the sample sheets that its parameters name.

HealthOmics brings an object when the pipeline makes a path of its URI. Nextflow does that here with local paths, so
every URI in a parameter, in a text file that a parameter names, and in a quoted text of the definition is brought
before it starts, where it is there.
"""

import os
import re

from .inside import CODE, foreign, refusal

URI = re.compile(r"(?:s3|omics)://[^\s,;\"'<>|\\]+")
WHOLE = re.compile(r"^(?:s3|omics)://\S+$")
LITERAL = re.compile(r"""(['"])((?:s3|omics)://[^\s'"$]+)(['"])""")
SHEETS = (".csv", ".tsv", ".txt", ".json", ".yml", ".yaml", ".list", ".samplesheet")
LARGEST_SHEET = 16 * 1024 * 1024
GLOB = re.compile(r"[*?{\[]")


def literal_uris(text):
    """URIs that stand alone in quotes: a default of a parameter, a reference."""
    return {match.group(2) for match in LITERAL.finditer(text)}


def foreign_value(run, value):
    """The failure of a run whose parameters or sheets name a file of this machine; None where they name none."""
    named = []
    _walk(value, lambda text: named.append(foreign(text, run.path(), run.spec["root"])))
    place = next(filter(None, named), None)
    return place and _failed(CODE, refusal(place))


def _failed(code, message):
    return {"outcome": "failed", "code": code, "message": message}


def localize(run, parameters, written):
    """The parameters with local paths, all local places by URI, and the URIs that are not there (or the failure)."""
    wanted = set(written)
    _walk(parameters, lambda text: wanted.add(text) if WHOLE.match(text) else None)
    if not wanted:
        return parameters, {}, []
    places, missing = _bring(run, wanted)
    if isinstance(missing, dict):
        return parameters, {}, missing
    sheets = [_sheet(place) for place in places.values()]
    refused = foreign_value(run, sheets)
    if refused:
        return parameters, {}, refused
    again = {uri for sheet in sheets for uri in URI.findall(sheet)}
    inner, absent = _bring(run, again - set(places))
    if isinstance(absent, dict):
        return parameters, {}, absent
    inner.update(places)
    for uri, place in places.items():
        places[uri] = _rewritten(run, place, inner)
    return _walk(parameters, lambda text: places.get(text, text)), places, missing + absent


def _walk(value, change):
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walk(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _walk(item, change) for key, item in value.items()}
    return value


def _bring(run, uris):
    """Local places by URI, and the URIs that are not there."""
    if not uris:
        return {}, []
    asked = {uri: _folder_of(uri) for uri in uris}
    upward = next((uri for uri, at in asked.items() if ".." in uri[len(at):].split("/")), None)
    if upward:
        return {}, _failed(CODE, "%s leads out of its folder" % upward)
    requests = [{"uri": uri, "isDirectory": uri.endswith("/"), "isOptional": True} for uri in sorted(set(asked.values()))]
    _, answer = run.exchange.ask("inputs.request", lambda: run.is_cancelled, uris=requests)
    if answer is None:
        return {}, []
    if "refused" in answer:
        return {}, _failed(answer["refused"]["code"], answer["refused"]["message"])
    paths = answer["paths"]
    found = {uri: os.path.join(paths[at], uri[len(at):]) if at != uri else paths[at] for uri, at in asked.items() if at in paths}
    return found, [uri for uri, at in asked.items() if at not in paths]


def _folder_of(uri):
    """A pattern is brought as the folder before its first special character, below which Nextflow looks again."""
    glob = GLOB.search(uri)
    return uri[: uri.rfind("/", 0, glob.start()) + 1] if glob else uri


def _sheet(path):
    """The text of a file that may be a sample sheet; empty for anything else."""
    if not os.path.isfile(path) or not path.lower().endswith(SHEETS) or os.path.getsize(path) > LARGEST_SHEET:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return ""


def _rewritten(run, path, places):
    """The sheet with local paths in it, as a file of its own; the path itself where there is nothing to change."""
    text = _sheet(path)
    changed = URI.sub(lambda match: places.get(match.group(0), match.group(0)), text)
    if changed == text:
        return path
    folder = run.path("sheets", str(len(os.listdir(run.path("sheets"))) if os.path.isdir(run.path("sheets")) else 0))
    os.makedirs(folder)
    target = os.path.join(folder, os.path.basename(path))
    with open(target, "w", encoding="utf-8") as file:
        file.write(changed)
    return target
