"""Runs a CWL workflow with cwltool: `python -m omx_engine.cwl <run folder>`. What to run is in `spec.json` there."""

import io
import json
import logging
import os
import signal
import sys

from cwltool import job as cwltool_job
from cwltool.context import LoadingContext, RuntimeContext
from cwltool.main import main as cwltool_main

from . import cwl_tasks
from .cwl_executor import Executor
from .cwl_fetcher import fetcher_inside
from .cwl_outputs import arrange
from .exchange import Exchange, write_whole
from .tasks import Runner


class Run:
    """One run: where it is, and how it is ending."""

    def __init__(self, spec, exchange):
        self.spec = spec
        self.exchange = exchange
        self.runner = Runner(exchange, spec)
        self.is_cancelled = False
        self.failure = None

    def fail(self, code, message):
        """The first failure is the run's: the others follow from it."""
        if self.failure is None:
            self.failure = {"outcome": "failed", "code": code, "message": message}


def main(folder):
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        run = Run(json.load(file), Exchange(folder))

    def stop(_signal, _frame):
        run.is_cancelled = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    handler = logging.FileHandler(os.path.join(folder, "engine.log"), encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    errors = LastError()
    logging.getLogger("cwltool").addHandler(errors)
    result = execute(run, handler, errors)
    write_whole(os.path.join(folder, "result.json"), result)
    run.exchange.emit("engine.ended", outcome=result["outcome"])
    return 0 if result["outcome"] == "completed" else 1


class LastError(logging.Handler):
    """Remembers the last error that cwltool logged: its reason for ending."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.message = None

    def emit(self, record):
        self.message = record.getMessage()


def execute(run, handler, errors):
    """The run's result: {outcome, outputs | code, message}."""
    folder = os.path.join(run.spec["folder"], "run")
    for name in ("all", "tasks"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    order = os.path.join(folder, "inputs.json")
    write_whole(order, run.spec["inputs"])
    cwltool_job._job_popen = cwl_tasks.popen_for(run)  # pylint: disable=protected-access
    is_contained = run.spec["containers"] != "host"
    arguments = [
        "--outdir", os.path.join(folder, "all"), "--tmpdir-prefix", os.path.join(folder, "tmp", "t"),
        "--tmp-outdir-prefix", os.path.join(folder, "work", "w"), "--disable-pull", "--no-match-user", "--no-read-only",
        "--skip-schemas", "--enable-ext", "--disable-color",
    ] + ([] if is_contained else ["--no-container"]) + [os.path.join(run.spec["definition"], run.spec["main"]), order]
    loading = LoadingContext()
    # HealthOmics has fields of its own in CWL's requirements (omicsRetryOn5xx): what is unknown is a warning.
    loading.strict = False
    loading.construct_tool_object = cwl_tasks.make_tool_for(run)
    loading.fetcher_constructor = fetcher_inside([run.spec["definition"], run.spec["folder"]])
    executor = Executor(run)
    runtime = _runtime_context(arguments, executor)
    printed = io.StringIO()
    code = cwltool_main(arguments, stdout=printed, logger_handler=handler, executor=executor, loadingContext=loading, runtimeContext=runtime)
    if run.is_cancelled:
        return {"outcome": "cancelled"}
    if code != 0:
        # What steps gave out before one failed (guide, "WDL", for all that is known).
        arrange(json.loads(printed.getvalue() or "{}") or {}, os.path.join(folder, "out"))
        return run.failure or {"outcome": "failed", "code": "WORKFLOW_RUN_FAILED", "message": errors.message or "cwltool ended with code %d" % code}
    return {"outcome": "completed", "outputs": arrange(json.loads(printed.getvalue()), os.path.join(folder, "out"))}


def _runtime_context(arguments, executor):
    from cwltool.argparser import arg_parser
    context = RuntimeContext(vars(arg_parser().parse_args(arguments)))
    context.select_resources = executor.select_resources
    return context


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
