"""What miniwdl says of every WDL document under a folder: one JSON line each, in one process.

    python3 bench/inspect/miniwdl_oracle.py FOLDER

Needs miniwdl (1.16.0 was used for the recorded answers) in the Python that runs it.
A line has `path`, and either `error` (why miniwdl refuses the document) or `name` and
`inputs`: the own inputs of its workflow, or of its one task, with type and `optional`;
`images` [task, image] that its tasks use by default, `unresolved` the tasks of which only an
input or a run tells the image.
"""

import json
import os
import sys

import WDL

from miniwdl_images import images_of

# Documents of the hostile corpus nest deeply on purpose.
sys.setrecursionlimit(4000)


def first_reason(error):
    """The innermost message, with line and column where there is one."""
    while isinstance(error, WDL.Error.ImportError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, WDL.Error.MultipleValidationErrors):
        error = error.exceptions[0]
    pos = getattr(error, "pos", None)
    place = f" (Ln {pos.line} Col {pos.column})" if pos else ""
    return f"{type(error).__name__}: {error}{place}"


def entry_of(document):
    if document.workflow:
        return document.workflow
    return document.tasks[0] if len(document.tasks) == 1 else None


def inputs_of(entry):
    required = {binding.name for binding in entry.required_inputs}
    return [
        {"name": each.name, "type": str(each.value.type), "optional": each.name not in required}
        for each in entry.available_inputs
        if "." not in each.name and not each.name.startswith("_")
    ]


def answer(path):
    try:
        document = WDL.load(path)
    except Exception as error:  # whatever miniwdl raises is its answer
        return {"error": first_reason(error)[:300]}
    entry = entry_of(document)
    if entry is None:
        return {"inputs": []}
    images, unresolved = images_of(document)
    return {"name": entry.name, "inputs": inputs_of(entry), "images": images, "unresolved": unresolved}


def main(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            if name.endswith(".wdl"):
                path = os.path.join(folder, name)
                print(json.dumps({"path": os.path.relpath(path, root), **answer(path)}))


if __name__ == "__main__":
    main(sys.argv[1])
