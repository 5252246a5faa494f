"""Where outputs go: a folder for each output, an index below it for each item of an array, as HealthOmics lays them out."""

import os
import shutil
import urllib.parse


def arrange(outputs, folder):
    """Moves output files below `folder` and gives the outputs with their new places."""
    return {name: _arranged(value, os.path.join(folder, name)) for name, value in outputs.items()}


def _arranged(value, folder):
    if isinstance(value, list):
        return [_arranged(item, os.path.join(folder, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if value.get("class") in ("File", "Directory"):
        return _moved(value, folder)
    return {name: _arranged(item, os.path.join(folder, name)) for name, item in value.items()}


def _moved(value, folder):
    described = {key: value[key] for key in ("class", "basename", "size", "checksum", "format") if key in value}
    if "location" in value and value["location"].startswith("file://"):
        source = urllib.parse.unquote(urllib.parse.urlsplit(value["location"]).path)
        os.makedirs(folder, exist_ok=True)
        target = os.path.join(folder, value["basename"])
        # The same file may be two outputs: a copy then; the first one could be moved, but a link would be followed anyway.
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            _link(source, target)
        described["location"] = target
    if value.get("secondaryFiles"):
        described["secondaryFiles"] = [_moved(item, folder) for item in value["secondaryFiles"]]
    return described


def _link(source, target):
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
