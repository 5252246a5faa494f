"""miniwdl's container backend (entry point `miniwdl.plugin.container_backend`): tasks run through our task runner."""

import functools
import os
import re
import shlex

from WDL import Value
from WDL.Error import RuntimeError as WdlRuntimeError
from WDL.runtime.error import CommandFailed, Interrupted, Terminated
from WDL.runtime.task_container import TaskContainer

from .processes import Command, mount
from .tasks import Cancelled, Refused, Task
from .wdl_resources import FALLBACK_ORDER, accelerators, profiles, return_codes, seconds, text_of

GIB = 1024 ** 3
NOT_RESERVED = "INSTANCE_RESERVATION_FAILED"

_runner = None


def install(runner):
    """Says which runner the tasks of this process go to."""
    global _runner
    _runner = runner


class TaskRefused(WdlRuntimeError):
    """The local accounts refused the task; its message is theirs."""


class OmxContainer(TaskContainer):
    @classmethod
    def global_init(cls, cfg, logger):
        if _runner is None:
            raise WdlRuntimeError("the container backend omx works only inside the local accounts")

    @classmethod
    def detect_resource_limits(cls, cfg, logger):
        # Requests are reported as they were made; the accounts fit them to the machine.
        return {"cpu": 1 << 16, "mem_bytes": 1 << 50}

    def __init__(self, cfg, run_id, host_dir):
        self._is_contained = _runner.spec["containers"] != "host"
        super().__init__(cfg, run_id, host_dir)
        # HealthOmics mounts a run's folder here (guide, "Task environment"); on the host paths are what they are.
        self.container_dir = "/mnt/workflow/%s/workdir" % _runner.spec["runUuid"] if self._is_contained else host_dir
        self._out_of_memory_retries = 0
        self._environment = {}
        self._has_order = False
        self._fallbacks = []

    def process_runtime(self, logger, runtime_eval):
        self._has_order = FALLBACK_ORDER in runtime_eval
        first, *rest = profiles(runtime_eval) if self._has_order else [{}]
        self._fallbacks = [functools.partial(self._take, logger, runtime_eval, profile) for profile in rest]
        self._take(logger, runtime_eval, first)

    def _take(self, logger, runtime_eval, first):
        for name in ("cpu", "memory_reservation", "memory_limit"):
            self.runtime_values.pop(name, None)
        super().process_runtime(logger, _with_profile(runtime_eval, first))
        values = self.runtime_values
        values.setdefault("cpu", 1)
        values.setdefault("memory_reservation", GIB)
        values["gpus"] = int(first.get("acceleratorCount") or accelerators(runtime_eval))
        values["accelerator"] = first.get("acceleratorType") or text_of(runtime_eval, "acceleratorType") or text_of(runtime_eval, "gpuType")
        # The guide names the variable, not its values (behaviour.md).
        self._environment = {"AWS_HEALTHOMICS_RESOURCE_TYPE": "GPU" if "acceleratorType" in first else "CPU"} if first else {}
        values["timeout"] = seconds(runtime_eval)
        if "returnCodes" not in runtime_eval and "continueOnReturnCode" in runtime_eval:
            values["returnCodes"] = return_codes(runtime_eval["continueOnReturnCode"])
        # HealthOmics retries only what ran out of memory (maxRetries) and what its own service lost (preemptible).
        self._out_of_memory_retries = values.pop("maxRetries", 0)
        values["preemptible"] = self._out_of_memory_retries

    # On the host the command sees the folder under its own name, so each attempt works in the same one.
    def host_work_dir(self):
        return super().host_work_dir() if self._is_contained else os.path.join(self.host_dir, "work")

    def reset(self, logger):
        if not self._is_contained:
            os.rename(self.host_work_dir(), os.path.join(self.host_dir, "work.attempt%d" % self.try_counter))
        super().reset(logger)

    def _run(self, logger, terminating, command):
        self._write_command(command)
        with self.task_running_context():
            try:
                outcome = self._run_reserved(terminating)
            except Cancelled:
                raise Terminated()
            except Refused as refused:
                raise TaskRefused(str(refused)) from refused
        if outcome.code == "OUT_OF_MEMORY_ERROR" and self.try_counter <= self._out_of_memory_retries:
            raise Interrupted(outcome.message)
        if outcome.code is not None:
            raise CommandFailed(outcome.exit_code, self.host_stderr_txt(), self.host_stdout_txt(), message=outcome.message)
        return outcome.exit_code

    def _run_reserved(self, terminating):
        """The outcome with the first of the fallback resources that can be had; each that is tried is a task."""
        while True:
            try:
                return _runner.run(self._task(), self._prepare, terminating)
            except Refused as refused:
                if refused.code != NOT_RESERVED or not self._has_order:
                    raise
                if not self._fallbacks:
                    raise Refused("ALL_PROFILES_" + NOT_RESERVED, "None of the profiles of %s can be had: %s" % (FALLBACK_ORDER, refused)) from refused
                self._fallbacks.pop(0)()

    def _task(self):
        values = self.runtime_values
        return Task(
            name=self._name(),
            image=values.get("docker"),
            cpus=values["cpu"],
            memory_bytes=values["memory_reservation"] * 2 ** (self.try_counter - 1),
            gpus=values["gpus"],
            accelerator=values["accelerator"],
            timeout_seconds=values["timeout"],
            attempt=self.try_counter,
            stdout=self.host_stdout_txt(),
            stderr=self.host_stderr_txt(),
        )

    def _name(self):
        """The call, with the calls of sub-workflows that lead to it: `sample-0.align`; the task, where there is no workflow."""
        path = os.path.relpath(self.host_dir, os.path.join(_runner.spec["folder"], "run"))
        if path == os.curdir:
            return self.run_id
        return ".".join(re.sub(r"^call-", "", part) for part in path.split(os.sep))

    def _write_command(self, command):
        with open(os.path.join(self.host_dir, "command"), "w", encoding="utf-8") as file:
            for name, value in self.runtime_values.get("env", {}).items():
                file.write("export %s=%s\n" % (name, shlex.quote(value)))
            file.write(command)
        for path in (self.host_stdout_txt(), self.host_stderr_txt()):
            self.touch_mount_point(path)

    def _prepare(self, is_contained, grant):
        shell = self.cfg.get("task_runtime", "command_shell")
        streams = {"stdout": self.host_stdout_txt(), "stderr": self.host_stderr_txt(), "is_success": self.success_exit_code,
                   "sources": list(self.input_path_map)}
        script = ["/bin/sh", "-c", "exec %s ../command" % shell]
        if not is_contained:
            self._link_inputs()
            temporary = os.path.join(self.host_dir, "tmp")
            os.makedirs(temporary, exist_ok=True)
            return Command(argv=script, folder=self.host_work_dir(), environment={**self._environment, "TMPDIR": temporary, "HOME": temporary}, **streams)
        inside = os.path.join(self.container_dir, "work")
        arguments = ["--workdir", inside]
        for path, outside, is_writable in self._mounts():
            arguments += mount(path, outside, is_writable)
        return Command(argv=script, folder=self.host_work_dir(), arguments=arguments, environment=self._environment, owned=[inside, "/tmp"], **streams)

    def _link_inputs(self):
        for outside, inside in self.input_path_map.items():
            link = inside.rstrip("/")
            os.makedirs(os.path.dirname(link), exist_ok=True)
            if not os.path.lexists(link):
                os.symlink(outside.rstrip("/"), link)

    def _mounts(self):
        temporary = os.path.join(self.host_dir, "tmp%d" % self.try_counter)
        os.makedirs(temporary, exist_ok=True)
        os.chmod(temporary, 0o1777)
        mounts = [
            ("/tmp", temporary, True),
            (os.path.join(self.container_dir, "stdout.txt"), self.host_stdout_txt(), False),
            (os.path.join(self.container_dir, "stderr.txt"), self.host_stderr_txt(), False),
            (os.path.join(self.container_dir, "command"), os.path.join(self.host_dir, "command"), False),
            (os.path.join(self.container_dir, "work"), self.host_work_dir(), True),
        ]
        for outside, inside in self.input_path_map.items():
            target = self.host_work_path(inside)
            if not os.path.exists(target):
                self.touch_mount_point(target)
            mounts.append((inside.rstrip("/"), outside.rstrip("/"), False))
        return mounts


def _with_profile(runtime_eval, profile):
    """The runtime section with one of the fallback resources in the place of their order."""
    taken = {name: Value.String(str(profile[name])) if name == "memory" else Value.Int(int(profile[name])) for name in ("cpu", "memory") if name in profile}
    return {**{name: value for name, value in runtime_eval.items() if name != FALLBACK_ORDER}, **taken}
