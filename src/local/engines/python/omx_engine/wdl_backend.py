"""miniwdl's container backend (entry point `miniwdl.plugin.container_backend`): tasks run through our task runner."""

import math
import os
import re
import shlex

from WDL.Error import RuntimeError as WdlRuntimeError
from WDL.runtime.error import CommandFailed, Interrupted, Terminated
from WDL.runtime.task_container import TaskContainer

from .processes import Command, mount
from .tasks import Cancelled, Refused, Task

GIB = 1024 ** 3

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

    def process_runtime(self, logger, runtime_eval):
        super().process_runtime(logger, runtime_eval)
        values = self.runtime_values
        values.setdefault("cpu", 1)
        values.setdefault("memory_reservation", GIB)
        values["gpus"] = _accelerators(runtime_eval)
        values["accelerator"] = _text(runtime_eval, "acceleratorType") or _text(runtime_eval, "gpuType")
        values["timeout"] = _seconds(runtime_eval)
        if "returnCodes" not in runtime_eval and "continueOnReturnCode" in runtime_eval:
            values["returnCodes"] = _return_codes(runtime_eval["continueOnReturnCode"])
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
        values = self.runtime_values
        task = Task(
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
        with self.task_running_context():
            try:
                outcome = _runner.run(task, self._prepare, terminating)
            except Cancelled:
                raise Terminated()
            except Refused as refused:
                raise TaskRefused(str(refused)) from refused
        if outcome.code == "OUT_OF_MEMORY_ERROR" and self.try_counter <= self._out_of_memory_retries:
            raise Interrupted(outcome.message)
        if outcome.code is not None:
            raise CommandFailed(outcome.exit_code, self.host_stderr_txt(), self.host_stdout_txt(), message=outcome.message)
        return outcome.exit_code

    def _name(self):
        """The call, with the calls of sub-workflows that lead to it: `sample-0.align`."""
        path = os.path.relpath(self.host_dir, os.path.join(_runner.spec["folder"], "run"))
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
        streams = {"stdout": self.host_stdout_txt(), "stderr": self.host_stderr_txt(), "is_success": self.success_exit_code}
        script = ["/bin/sh", "-c", "exec %s ../command" % shell]
        if not is_contained:
            self._link_inputs()
            temporary = os.path.join(self.host_dir, "tmp")
            os.makedirs(temporary, exist_ok=True)
            return Command(argv=script, folder=self.host_work_dir(), environment={"TMPDIR": temporary, "HOME": temporary}, **streams)
        inside = os.path.join(self.container_dir, "work")
        arguments = ["--workdir", inside]
        for path, outside, is_writable in self._mounts():
            arguments += mount(path, outside, is_writable)
        return Command(argv=script, folder=self.host_work_dir(), arguments=arguments, owned=[inside, "/tmp"], **streams)

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


def _accelerators(runtime_eval):
    """acceleratorCount wins over gpuCount (guide, "WDL"); a type alone asks for one."""
    for count, kind in (("acceleratorCount", "acceleratorType"), ("gpuCount", "gpuType")):
        if count in runtime_eval:
            return max(0, int(math.ceil(float(runtime_eval[count].json))))
        if kind in runtime_eval:
            return 1
    return 0


def _text(runtime_eval, key):
    value = runtime_eval.get(key)
    return str(value.json) if value is not None else None


def _return_codes(value):
    if isinstance(value.json, bool):
        return "*" if value.json else 0
    return value.json


def _seconds(runtime_eval):
    """omicsTimeout: seconds as a number, or a duration such as 1h30m; at least 60 s, whole minutes (guide, "WDL")."""
    if "omicsTimeout" not in runtime_eval:
        return None
    text = str(runtime_eval["omicsTimeout"].json).strip()
    if re.fullmatch(r"\d+", text):
        seconds = int(text)
    else:
        match = re.fullmatch(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s)?", text)
        if not match or not any(match.groups()):
            raise WdlRuntimeError("invalid setting of runtime.omicsTimeout, " + text)
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    return max(60, seconds // 60 * 60)
