"""What cwltool says of every CWL document under a folder: one JSON line each, in one process.

    python3 bench/inspect/cwltool_oracle.py FOLDER

Without a network, set http_proxy and https_proxy to a closed port: documents that name schemas of the web are
answered at once then, where cwltool would wait for each.

Needs cwltool (3.3 was used for the recorded answers) in the Python that runs it.
A line has `path`, and either `error` (why cwltool refuses the document) or `inputs` (those of the
main process, type in the short form without the outer null, and `optional`) and `images`: task and
`dockerPull` of every CommandLineTool that runs, expressions as they are written.
"""

import json
import logging
import os
import sys

from cwltool.context import LoadingContext
from cwltool.load_tool import load_tool
from cwltool.process import shortname
from cwltool.workflow import Workflow, default_make_tool

logging.getLogger("cwltool").setLevel(logging.CRITICAL)
logging.getLogger("salad").setLevel(logging.CRITICAL)

PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "string", "File", "Directory", "Any"}


def last(name):
    return name.split("#")[-1].split(".")[-1].split("/")[-1]


def without_null(kind):
    if isinstance(kind, list):
        rest = [each for each in kind if each != "null"]
        return rest[0] if len(rest) == 1 else rest
    return kind


def short(kind, schema_defs):
    if isinstance(kind, str):
        if last(kind) in PRIMITIVES:
            return last(kind)
        found = schema_defs.get(kind)
        return short(found, schema_defs) if found is not None else "File" if last(kind) == "stdin" else last(kind)
    if isinstance(kind, list):
        if "null" in kind and len(kind) == 2:
            return short(without_null(kind), schema_defs) + "?"
        return "[" + ", ".join(short(each, schema_defs) for each in kind) + "]"
    if kind["type"] in ("array", "https://w3id.org/cwl/salad#array", "https://w3id.org/cwl/cwl#array"):
        return short(kind["items"], schema_defs) + "[]"
    if isinstance(kind["type"], str) and last(kind["type"]) in ("record", "enum"):
        return last(kind["type"])
    return short(kind["type"], schema_defs)


def is_nullable(kind):
    return kind == "null" or (isinstance(kind, list) and "null" in kind)


def inputs_of(tool):
    return [
        {
            "name": shortname(each["id"]),
            "type": short(without_null(each["type"]), tool.schemaDefs),
            "optional": is_nullable(each["type"]) or each.get("default") is not None,
        }
        for each in tool.tool["inputs"]
    ]


def images_of(tool, task):
    if isinstance(tool, Workflow):
        return [image for step in tool.steps for image in images_of(step.embedded_tool, shortname(step.id))]
    if tool.tool["class"] != "CommandLineTool":
        return []
    docker, _ = tool.get_requirement("DockerRequirement")
    if docker is None:
        return []
    image = docker.get("dockerPull") or docker.get("dockerImageId")
    return [{"task": task, "image": image}] if image else []


def answer(path):
    try:
        context = LoadingContext(
            {"construct_tool_object": default_make_tool, "disable_js_validation": True, "skip_schemas": True}
        )
        tool = load_tool("file://" + os.path.abspath(path), context)
        return {"inputs": inputs_of(tool), "images": images_of(tool, "main")}
    except Exception as error:  # whatever cwltool raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            if name.endswith(".cwl"):
                path = os.path.join(folder, name)
                print(json.dumps({"path": os.path.relpath(path, root), **answer(path)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
