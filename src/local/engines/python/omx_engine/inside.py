"""
What of this machine a run may name: its own folder. HealthOmics gives a task what comes from S3 and from other tasks of the
run; a parameter, a line of a sample sheet or a link that a task made must not bring in anything else.
"""

import json
import os
import re
import urllib.parse

CODE = "INVALID_URI_INPUT"
# Of every machine alike, and written for what they mean: nothing, a temporary folder, a separator.
HARMLESS = ("/", "/tmp", "/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr")
# What separates the values of a list or a sheet, and what YAML writes before one.
SEPARATORS = re.compile(r"[,;|\t\r\n]")
BEFORE = re.compile(r"""^(?:[\s\[{]+|-\s+|"[^"]*"\s*:\s*|'[^']*'\s*:\s*|[\w.-]+\s*:\s+)*["']?""")
AFTER = re.compile(r"""["'\s\]}]*$""")
GLOB = re.compile(r"[*?{\[]")


def is_inside(path, root):
    """Whether a path, links followed, lies in the folder."""
    real, within = os.path.realpath(path), os.path.realpath(root)
    return real == within or real.startswith(within + os.sep)


def first_outside(paths, root):
    """The first path that is no part of the run; None where all are."""
    return next((path for path in paths if path != os.devnull and not is_inside(path, root)), None)


def refusal(path):
    """Why a path is refused, in a sentence."""
    return "%s is not an s3:// or omics:// URI: a run reads nothing of this machine" % path


def foreign(text, base, root):
    """The first value of a text that names a file of this machine, as Nextflow would look for it from `base`; None where none does."""
    return next((word for word in map(_word, SEPARATORS.split(text)) if word and _is_foreign(word, base, root)), None)


def _word(text):
    word = AFTER.sub("", BEFORE.sub("", text, count=1))
    try:
        return json.loads('"%s"' % word.replace("\\x", "\\u00")) if "\\" in word else word
    except ValueError:
        return word


def _is_foreign(word, base, root):
    is_file_uri = word[:5].lower() == "file:"
    path = urllib.parse.unquote(urllib.parse.urlsplit(word).path) if is_file_uri else word
    goes_up = ".." in path.split("/")
    if not (is_file_uri or goes_up or path.startswith(("/", "~"))) or "\0" in path or "://" in path:
        return False
    glob = GLOB.search(path)
    place = os.path.join(base, os.path.expanduser(path[: path.rfind("/", 0, glob.start()) + 1] if glob else path))
    if place in HARMLESS and not glob or is_inside(place, root):
        return False
    return is_file_uri or goes_up or os.path.lexists(place)
