"""cwltool's jobs: every command goes to our task runner, in a container or on the host."""

import logging
import math
import os
import threading

from cwltool import command_line_tool, workflow
from cwltool.docker import DockerCommandLineJob
from cwltool.errors import WorkflowException
from cwltool.job import CommandLineJob

from .cwl_attempts import attempt_of, attempts
from .inside import is_inside
from .processes import Command
from .tasks import Cancelled, Refused, Task

# cwltool starts a job's command through a function of its module: which job, the thread that runs it knows.
_current = threading.local()


# Stands where a tool names no image: the accounts bring the service's own for it.
NO_IMAGE = "omx.invalid/no-image"


def _image_of(job):
    requirement, _ = job.get_requirement("DockerRequirement")
    image = (requirement or {}).get("dockerPull") or (requirement or {}).get("dockerImageId")
    # HealthOmics takes expressions here; cwltool does not.
    evaluated = job.builder.do_eval(image) if image and "$" in image else image
    return None if evaluated == NO_IMAGE else evaluated


class HostJob(CommandLineJob):
    def _execute(self, runtime, env, runtimeContext, monitor_function=None):
        _current.job = self
        super()._execute(runtime, env, runtimeContext, None)


class ContainedJob(DockerCommandLineJob):
    def get_from_requirements(self, r, pull_image, force_pull, tmp_outdir_prefix, image_base_path=None):
        # The local accounts bring the image; here it is a name.
        return r.get("dockerPull") or r.get("dockerImageId")

    def _execute(self, runtime, env, runtimeContext, monitor_function=None):
        _current.job = self
        super()._execute(runtime, env, runtimeContext, None)


def make_tool_for(run):
    """cwltool's constructor of processes, with tools whose jobs are ours."""
    is_contained = run.spec["containers"] != "host"

    class Tool(command_line_tool.CommandLineTool):
        def job(self, job_order, output_callbacks, runtimeContext):
            return attempts(self, (job_order, output_callbacks, runtimeContext), super().job)

        def make_job_runner(self, runtimeContext):
            if not is_contained:
                return HostJob
            if self.get_requirement("DockerRequirement")[0] is None:
                self.requirements.insert(0, {"class": "DockerRequirement", "dockerPull": NO_IMAGE})
            return ContainedJob

    def make(document, loading):
        if isinstance(document, dict) and document.get("class") == "CommandLineTool":
            return Tool(document, loading)
        return workflow.default_make_tool(document, loading)

    return make


def popen_for(run):
    """What stands in the place of cwltool's `_job_popen`: the same parameters, the same exit code."""

    def popen(commands, stdin_path, stdout_path, stderr_path, env, cwd, make_job_dir, **others):
        job = _current.job
        folder = os.path.join(run.spec["folder"], "run", "tasks", job.name.replace("/", "_"))
        os.makedirs(folder, exist_ok=True)
        streams = {"stdin": stdin_path, "stdout": stdout_path or os.path.join(folder, "stdout.txt"),
                   "stderr": stderr_path or os.path.join(folder, "stderr.txt"), "sources": list(_sources(job))}

        def prepare(is_contained, _grant):
            if is_contained:
                arguments, argv = _split(commands)
                return Command(argv=argv, folder=cwd, arguments=arguments, is_success=_successes(job), owned=[job.builder.outdir, "/tmp"], **streams)
            return Command(argv=list(commands), folder=cwd, environment=dict(env), is_success=_successes(job), **streams)

        try:
            outcome = run.runner.run(_task(job, folder, others.get("timelimit")), prepare, lambda: run.is_cancelled)
        except Refused as refused:
            run.fail(refused.code, str(refused))
            raise WorkflowException(str(refused)) from refused
        except Cancelled as cancelled:
            raise WorkflowException("the run was cancelled") from cancelled
        _cut_links(cwd, run.spec["root"])
        if outcome.code is not None or not _successes(job)(outcome.exit_code):
            # cwltool would take what a failed tool left for its outputs.
            job.collect_outputs = lambda *_: {}
            if attempt_of(job).is_repeated(outcome):
                return outcome.exit_code
            run.fail("RUN_TASK_FAILED", outcome.message or "Task %s failed with exit code %d" % (job.name, outcome.exit_code))
        return outcome.exit_code

    return popen


def _sources(job):
    """Files and folders that the job is given: its inputs, and what its working folder is filled with."""
    for mapper in (job.pathmapper, job.generatemapper):
        for _, entry in mapper.items() if mapper is not None else ():
            if entry.type in ("File", "Directory", "WritableFile", "WritableDirectory") and os.path.isabs(entry.resolved):
                yield entry.resolved


def _task(job, folder, seconds):
    resources = job.builder.resources
    cuda, _ = job.builder.get_requirement("http://commonwl.org/cwltool#CUDARequirement")
    attempt = attempt_of(job)
    return Task(
        name=attempt.name or job.name,
        image=_image_of(job),
        cpus=max(1, math.ceil(resources["cores"])),
        memory_bytes=max(1, math.ceil(resources["ram"])) * 1024 * 1024,
        gpus=int(resources.get("cudaDeviceCount", 0)),
        accelerator=_accelerator(cuda),
        timeout_seconds=seconds or None,
        attempt=attempt.number,
        # A captured stream is an output of the task, no log of it.
        stdout=os.path.join(folder, "stdout.txt"),
        stderr=os.path.join(folder, "stderr.txt"),
    )


def _cut_links(folder, root):
    """cwltool follows the links that a task left, and takes what is there for an output: what lies beyond the run is none."""
    for place, folders, files in os.walk(folder):
        for path in (os.path.join(place, name) for name in folders + files):
            if os.path.islink(path) and not is_inside(path, root):
                logging.getLogger("cwltool").warning("%s leads out of the run's folder and is left out", os.path.relpath(path, folder))
                os.remove(path)


def _accelerator(cuda):
    capability = (cuda or {}).get("cudaComputeCapability")
    return capability[0] if isinstance(capability, list) else capability


def _successes(job):
    codes = list(job.successCodes) or [0]
    return lambda code: code in codes


KEPT = ("--mount=", "--workdir=", "--env=", "--user=", "--shm-size=")


def _split(commands):
    """
    The arguments of the container engine that describe the task itself, and the command: cwltool's line is
    `docker run -i --option=value … image command …`. Network, limits, name and removal are the task runner's.
    """
    rest = commands[2:]
    options = []
    while rest and rest[0].startswith("-"):
        options.append(rest[0])
        rest = rest[1:]
    return [option for option in options if option.startswith(KEPT)], rest[1:]
