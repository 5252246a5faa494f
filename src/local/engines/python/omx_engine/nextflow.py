"""
Runs a Nextflow pipeline: `python -m omx_engine.nextflow <run folder>`. What to run is in `spec.json` there, with
`command`, the words that start Nextflow on this machine.

Tasks reach us through a program called `docker` that stands first on Nextflow's PATH (nextflow_docker.sh), and are run
by threads of this process (nextflow_tasks.py).
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys

from .exchange import Exchange, write_whole
from .nextflow_inputs import LITERAL, foreign_value, literal_uris, localize
from .nextflow_tasks import NO_IMAGE, TaskServer

# What a pipeline may name absolutely; HealthOmics exports both (guide, "Nextflow").
PUBLISHED = ("/mnt/workflow/pubdir", "/mnt/workflow/output")
TEXTS = (".nf", ".config", ".json", ".groovy", ".yml", ".yaml")


class Run:
    def __init__(self, spec, exchange):
        self.spec = spec
        self.exchange = exchange
        self.folder = spec["folder"]
        self.process = None
        self.is_cancelled = False
        # Nextflow has ended, and whatever it left behind is of no use.
        self.is_over = False

    def path(self, *parts):
        return os.path.join(self.folder, "run", *parts)


def main(folder):
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        run = Run(json.load(file), Exchange(folder))

    def stop(_signal, _frame):
        run.is_cancelled = True
        if run.process is not None:
            run.process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    result = execute(run)
    write_whole(os.path.join(folder, "result.json"), result)
    run.exchange.emit("engine.ended", outcome=result["outcome"])
    return 0 if result["outcome"] == "completed" else 1


def execute(run):
    """The run's result: {outcome, outputs | code, message}."""
    for name in ("bin", "home", "tasks", "out/pubdir", "out/output"):
        os.makedirs(run.path(name), exist_ok=True)
    texts = definition_texts(run)
    written = {uri for text in texts.values() for uri in literal_uris(text)}
    given = redirect_value(run, run.spec["inputs"])
    refused = foreign_value(run, given)
    if refused:
        return refused
    parameters, places, missing = localize(run, given, written)
    if isinstance(missing, dict):
        return missing
    redirect_definition(run, texts, places)
    write_files(run, parameters)
    if run.is_cancelled:
        return {"outcome": "cancelled"}
    run.exchange.emit("engine.running")
    output = run.path("nextflow.out")
    server = TaskServer(run)
    with open(output, "wb") as stream:
        run.process = subprocess.Popen(command_line(run), cwd=run.path(), env=environment(run), stdin=subprocess.DEVNULL,
                                       stdout=stream, stderr=subprocess.STDOUT)
        code = run.process.wait()
    server.close()
    if run.is_cancelled:
        return {"outcome": "cancelled"}
    return {"outcome": "completed", "outputs": {}} if code == 0 else server.refusal or explain(run, output, missing, server)


def published(run, text):
    """The text with the places of published files turned into folders of this run."""
    for place in PUBLISHED:
        text = text.replace(place, run.path("out", os.path.basename(place)))
    return text


def redirect_value(run, value):
    if isinstance(value, str):
        return published(run, value)
    if isinstance(value, list):
        return [redirect_value(run, item) for item in value]
    if isinstance(value, dict):
        return {key: redirect_value(run, item) for key, item in value.items()}
    return value


def definition_texts(run):
    """The texts of the definition by their paths. It is a copy of this run's own."""
    texts = {}
    for folder, _, names in os.walk(run.spec["definition"]):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(TEXTS) and not os.path.islink(path):
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    texts[path] = file.read()
    return texts


def redirect_definition(run, texts, places):
    """The absolute places and the URIs of files in the definition become this run's."""
    for path, text in texts.items():
        changed = LITERAL.sub(lambda match: match.group(1) + places.get(match.group(2), match.group(2)) + match.group(3), published(run, text))
        if changed != text:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(changed)


def write_files(run, parameters):
    write_whole(run.path("params.json"), parameters)
    # The least of all configurations: a process that names no container is known by this one.
    _write(run.path("home", "config"), "process.container = '%s'\n" % NO_IMAGE)
    # The greatest: tasks go through our `docker`, and what the machine has is no matter of the engine's.
    _write(run.path("forced.config"), "\n".join((
        "process.executor = 'local'",
        # The local accounts decided which version this run would have and say which one runs.
        "manifest.nextflowVersion = ''",
        "docker { enabled = true; registry = docker.registry ?: ''; fixOwnership = false; runOptions = ''; engineOptions = ''; sudo = false; legacy = false; temp = null; remove = true }",
        *("%s.enabled = false" % other for other in ("singularity", "apptainer", "podman", "charliecloud", "sarus", "shifter", "conda", "spack", "wave", "fusion")),
        # A directive of a process goes before what the configuration says of all, and before that goes what it says of a name.
        "process { withName: '.*' { executor = 'local' } }",
        # Nextflow tells Docker nothing of accelerators.
        "process.containerOptions = { task.accelerator ? '--gpus=' + task.accelerator.request + ':' + (task.accelerator.type ?: '').replaceAll(/[^\\w.-]/, '') : '' }",
        "executor { cpus = 1000000; memory = '1000000 GB'; queueSize = %d; pollInterval = '100 ms' }" % run.spec["concurrentTasks"],
    )) + "\n")
    _write_script(run, "docker", "nextflow_docker.sh", omx_bin=run.path("bin"), omx_tasks=run.path("tasks"))
    _write_script(run, "launch", "nextflow_launch.sh", omx_root=run.spec["root"], omx_no_image=NO_IMAGE,
                  omx_programs=os.path.join(run.spec["definition"], "bin"))


def _write_script(run, name, source, **variables):
    with open(os.path.join(os.path.dirname(__file__), source), encoding="utf-8") as file:
        text = file.read()
    values = " ".join("%s=%s" % (variable, shlex.quote(value)) for variable, value in variables.items())
    _write(run.path("bin", name), "#!/bin/sh\n%s\n%s" % (values, text))
    os.chmod(run.path("bin", name), 0o755)


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def java_options(run):
    """Java looks at no variable for its temporary folder, and leaves its counters in the machine's."""
    return ["-Djava.io.tmpdir=" + os.environ["TMPDIR"], "-XX:-UsePerfData"] if "TMPDIR" in os.environ else []


def command_line(run):
    settings = run.spec.get("engineSettings") or {}
    profile = ["-profile", settings["profile"]] if settings.get("profile") else []
    program, *rest = run.spec["command"]
    return [program] + (java_options(run) if program == "java" else []) + rest + [
        "-log", os.path.join(run.folder, "engine.log"), "run", os.path.join(run.spec["definition"], run.spec["main"]), "-ansi-log", "false",
        "-work-dir", run.path("work"), "-params-file", run.path("params.json"), "-c", run.path("forced.config")] + profile


def environment(run):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.update(run.spec.get("environment", {}))
    kept.update(NXF_OFFLINE="true", NXF_HOME=run.path("home"), NXF_DISABLE_CHECK_LATEST="true", NXF_ANSI_LOG="false",
                NXF_OPTS=" ".join(java_options(run)), NXF_TEMP=os.environ.get("TMPDIR", ""),
                BASH_ENV=run.path("bin", "launch"), PATH=run.path("bin") + os.pathsep + os.environ["PATH"])
    return kept


def explain(run, output, missing, server):
    with open(output, encoding="utf-8", errors="replace") as file:
        said = file.read()
    message = "\n".join(line for line in said.splitlines() if not re.match(r"^(N E X T F L O W|Launching|\[[0-9a-f]{2}/|executor >|$)", line)).strip()[-2000:]
    absent = next((uri for uri in missing if uri in said), None)
    if absent:
        return {"outcome": "failed", "code": "INPUT_URI_NOT_FOUND", "message": "%s does not exist" % absent}
    code = "RUN_TASK_FAILED" if server.has_failed_task else "WORKFLOW_RUN_FAILED"
    return {"outcome": "failed", "code": code, "message": message or "Nextflow ended without a word"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
