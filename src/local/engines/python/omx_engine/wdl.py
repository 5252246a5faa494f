"""Runs a WDL workflow with miniwdl: `python -m omx_engine.wdl <run folder>`. What to run is in `spec.json` there."""

import json
import logging
import os
import sys
import traceback

import WDL
from WDL import Error, Value
from WDL._util import LoggingFileHandler, StructuredLogMessage, VERBOSE_LEVEL
from WDL.runtime import config
from WDL.runtime._io_helpers import _add_downloadable_defaults
from WDL.runtime.error import CommandFailed, RunFailed, Terminated

from . import wdl_backend
from .exchange import Abandoned, Exchange, write_whole
from .tasks import Runner
from .wdl_finished import link_finished, remember_outputs
from .wdl_resources import BrokenFallbackOrder
from .wdl_source import read_inside

REMOTE = ("s3://", "omics://")


def main(folder):
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        spec = json.load(file)
    exchange = Exchange(folder)
    wdl_backend.install(Runner(exchange, spec))
    logger = logging.getLogger("wdl")
    logger.setLevel(VERBOSE_LEVEL)
    with LoggingFileHandler(logging.getLogger(), os.path.join(folder, "engine.log")):
        result = run(spec, exchange, logger)
    write_whole(os.path.join(folder, "result.json"), result)
    exchange.emit("engine.ended", outcome=result["outcome"])
    return 0 if result["outcome"] == "completed" else 1


def run(spec, exchange, logger):
    """The run's result: {outcome, outputs | code, message}."""
    try:
        document = WDL.load(os.path.join(spec["definition"], spec["main"]), [spec["definition"]],
                            check_quant=not spec.get("isLenient", False), read_source=read_inside(spec["definition"]))
        target = _target(document)
        if target is None:
            return _failed("WORKFLOW_RUN_FAILED", "%s has no workflow, and %d tasks" % (spec["main"], len(document.tasks)))
        inputs = WDL.values_from_json(spec["inputs"], target.available_inputs, target.required_inputs, target.name)
        cfg = _configuration(spec, logger)
        inputs = _localize(_add_downloadable_defaults(cfg, target.available_inputs, inputs), exchange)
        if isinstance(inputs, dict):
            return inputs
        exchange.emit("engine.running")
        remember_outputs()
        _, outputs = WDL.runtime.run(cfg, target, inputs, run_dir=os.path.join(spec["folder"], "run", "."))
        return {"outcome": "completed", "outputs": WDL.values_to_json(outputs, namespace=target.name)}
    except Exception as error:  # pylint: disable=broad-except
        logger.debug(traceback.format_exc())
        result = _explain(error, spec["definition"])
        if result["outcome"] == "failed":
            link_finished(logger)
        logger.error(StructuredLogMessage(result.get("message", result["outcome"])))
        return result


def _target(document):
    """The workflow, or the task of a document that has one task and nothing else, as `miniwdl run` chooses."""
    if document.workflow is not None:
        return document.workflow
    return document.tasks[0] if len(document.tasks) == 1 else None


def _configuration(spec, logger):
    cfg = config.Loader(logger, filenames=[])
    cfg.override({
        "scheduler": {"container_backend": "omx", "task_concurrency": spec["concurrentTasks"], "fail_fast": True},
        "task_runtime": {"cpu_max": -1, "memory_max": -1, "defaults": {}},
        "file_io": {"root": spec["root"], "chown": False},
        "call_cache": {"put": False, "get": False},
        "download_cache": {"put": False, "get": False},
    })
    return cfg


def _localize(inputs, exchange):
    """File and Directory inputs in S3 become local paths, which the accounts bring; a dict is the failure instead."""
    wanted = {}
    elsewhere = []

    def note(value):
        if value.value.startswith(REMOTE):
            wanted[value.value] = isinstance(value, Value.Directory)
        else:
            elsewhere.append(value.value)
        return value.value

    Value.rewrite_env_paths(inputs, note)
    if elsewhere:
        return _failed("INVALID_URI_INPUT", "%s is not an s3:// or omics:// URI" % elsewhere[0])
    if not wanted:
        return inputs
    _, answer = exchange.ask("inputs.request", uris=[{"uri": uri, "isDirectory": folder} for uri, folder in wanted.items()])
    if "refused" in answer:
        return _failed(answer["refused"]["code"], answer["refused"]["message"])
    paths = answer["paths"]
    return Value.rewrite_env_paths(inputs, lambda value: paths.get(value.value, value.value))


def _failed(code, message):
    return {"outcome": "failed", "code": code, "message": message}


def _explain(error, definition):
    while isinstance(error, RunFailed) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, (Terminated, Abandoned)):
        return {"outcome": "cancelled"}
    if isinstance(error, CommandFailed):
        return {"outcome": "failed", "code": "RUN_TASK_FAILED", "message": str(error)}
    if isinstance(error, wdl_backend.TaskRefused):
        cause = error.__cause__
        return _failed(cause.code, str(error))
    if isinstance(error, BrokenFallbackOrder):
        return _failed("INVALID_TASK_RESOURCE_VALUE", str(error))
    if isinstance(error, (Error.SyntaxError, Error.ImportError, Error.ValidationError)):
        position = error.pos
        file = os.path.relpath(position.abspath or position.uri, definition)
        return _failed("WORKFLOW_RUN_FAILED", "(%s Ln %d Col %d) %s" % (file, position.line, position.column, error))
    if isinstance(error, Error.InputError) and "invalid path" in str(error):
        # A File with a slash at its end, or a Directory that is none.
        return _failed("INVALID_URI_INPUT", str(error))
    if isinstance(error, Error.MultipleValidationErrors):
        return _explain(error.exceptions[0], definition)
    return _failed("WORKFLOW_RUN_FAILED", "%s: %s" % (type(error).__name__, error) if str(error) else type(error).__name__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
