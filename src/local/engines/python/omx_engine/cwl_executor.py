"""cwltool's executor: files in S3 are brought first, and what the machine has is no matter of the engine's."""

import math
import os
import urllib.parse

from cwltool.errors import WorkflowException
from cwltool.executors import MultithreadedJobExecutor
from cwltool.process import shortname
from cwltool.utils import visit_class
from schema_salad.ref_resolver import file_uri

REMOTE = ("s3://", "omics://")


class Executor(MultithreadedJobExecutor):
    def __init__(self, run):
        super().__init__(max_parallel=run.spec["concurrentTasks"])
        self.run_of_ours = run
        # The local accounts decide when a task may start; here every request fits.
        self.max_ram = 1 << 40
        self.max_cores_of_a_task = float(1 << 20)
        self.max_cuda = 1 << 10

    def select_resources(self, request, runtime_context):
        resources = {name: math.ceil(request[name + "Min"]) for name in ("cores", "ram")}
        if "cudaDeviceCountMin" in request:
            resources["cudaDeviceCount"] = math.ceil(request["cudaDeviceCountMin"])
        resources["tmpdirSize"] = math.ceil(request["tmpdirMin"])
        resources["outdirSize"] = math.ceil(request["outdirMin"])
        return resources

    def run_jobs(self, process, job_order_object, logger, runtime_context):
        threads, self.max_cores = self.max_cores, self.max_cores_of_a_task
        localize(self.run_of_ours, process, job_order_object)
        self.run_of_ours.exchange.emit("engine.running")
        # The number of threads is read from max_cores when the jobs begin, and the limit of a task afterwards.
        self.max_cores = threads
        jobs = _Jobs(self, threads)
        super().run_jobs(jobs.around(process), job_order_object, logger, runtime_context)


class _Jobs:
    """Lets the task limit take effect once the pool of threads is there."""

    def __init__(self, executor, threads):
        self.executor = executor
        self.threads = threads

    def around(self, process):
        executor = self.executor
        job = process.job

        def begin(*arguments, **named):
            executor.max_cores = executor.max_cores_of_a_task
            return job(*arguments, **named)

        process.job = begin
        return process


def localize(run, process, order):
    """File and Directory inputs in S3 become local ones, with the secondary files that their declarations name."""
    for declared in process.tool["inputs"]:
        _as_objects(order, shortname(declared["id"]), declared)
    found = []
    visit_class(order, ("File", "Directory"), lambda value: found.append(value) if _remote(value) else _refuse_local(run, value))
    if not found:
        return
    secondary = _secondary_patterns(process, order)
    wanted = {}
    for value in found:
        wanted[value["location"]] = {"uri": value["location"], "isDirectory": value["class"] == "Directory"}
        for name, is_required in secondary.get(id(value), []):
            wanted.setdefault(name, {"uri": name, "isDirectory": False, "isOptional": not is_required})
    _, answer = run.exchange.ask("inputs.request", lambda: run.is_cancelled, uris=list(wanted.values()))
    if answer is None:
        raise WorkflowException("the run was cancelled")
    if "refused" in answer:
        run.fail(answer["refused"]["code"], answer["refused"]["message"])
        raise WorkflowException(answer["refused"]["message"])
    for value in found:
        _place(value, answer["paths"], secondary.get(id(value), []))


def _refuse_local(run, value):
    """Files of this machine are no inputs; a file given by its contents has no place."""
    place = value.get("location") or value.get("path")
    if place and "contents" not in value:
        message = "%s is not an s3:// or omics:// URI" % place
        run.fail("INVALID_URI_INPUT", message)
        raise WorkflowException(message)


def _remote(value):
    return isinstance(value, dict) and str(value.get("location", "")).startswith(REMOTE)


def _as_objects(order, name, declared):
    """A URI given as a text where a File or Directory is declared."""
    kind = _file_kind(declared["type"])
    value = order.get(name)
    if kind and isinstance(value, str) and value.startswith(REMOTE):
        order[name] = {"class": kind, "location": value}
    elif kind and isinstance(value, list):
        order[name] = [{"class": kind, "location": item} if isinstance(item, str) and item.startswith(REMOTE) else item for item in value]


def _file_kind(declared):
    if isinstance(declared, list):
        return next((kind for kind in map(_file_kind, declared) if kind), None)
    if isinstance(declared, dict):
        return _file_kind(declared["items"]) if declared.get("type") == "array" else None
    return declared if declared in ("File", "Directory") else None


def _secondary_patterns(process, order):
    """For each File value the secondary files that its declaration names by a pattern: (URI, is required)."""
    found = {}
    for declared in process.tool["inputs"]:
        patterns = declared.get("secondaryFiles") or []
        patterns = patterns if isinstance(patterns, list) else [patterns]
        values = order.get(shortname(declared["id"]))
        for value in values if isinstance(values, list) else [values]:
            if _remote(value) and not value.get("secondaryFiles"):
                found[id(value)] = [entry for pattern in patterns for entry in _sibling(value["location"], pattern)]
    return found


def _sibling(location, entry):
    pattern, required = (entry.get("pattern"), entry.get("required", True)) if isinstance(entry, dict) else (entry, True)
    if not isinstance(pattern, str) or "$(" in pattern or "${" in pattern:
        return []
    if pattern.endswith("?"):
        pattern, required = pattern[:-1], False
    base = location
    while pattern.startswith("^"):
        folder, slash, name = base.rpartition("/")
        base = folder + slash + name.rsplit(".", 1)[0]
        pattern = pattern[1:]
    return [(base + pattern, required is not False)]


def _place(value, paths, siblings):
    value["location"] = file_uri(paths[value["location"]])
    value.pop("path", None)
    value["basename"] = value.get("basename") or os.path.basename(urllib.parse.unquote(value["location"].rstrip("/")))
    beside = [{"class": "File", "location": file_uri(paths[uri]), "basename": os.path.basename(paths[uri])} for uri, _ in siblings if uri in paths]
    if beside:
        value["secondaryFiles"] = beside
