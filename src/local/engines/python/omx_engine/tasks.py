"""
The task runner: one command, in a container or on the host, under the limits that the local accounts grant.

The same runner serves every engine. It never pulls: the accounts bring the image before they grant the task.
"""

import os
import shlex
import subprocess
import threading
import time

import psutil


class Refused(Exception):
    """The accounts refuse to start the task: its image can't be read, or its resources can't be had."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Cancelled(Exception):
    """The run ended before the task did."""


class Outcome:
    """How a task's command ended. `code` is HealthOmics's failure reason where the end was not the command's own."""

    def __init__(self, exit_code, code=None, message=None):
        self.exit_code = exit_code
        self.code = code
        self.message = message


class Task:
    """What an engine wants run. Paths are of the host; `mounts` are (inside, outside, is_writable)."""

    def __init__(self, **members):
        self.name = members["name"]
        self.image = members.get("image")
        self.cpus = members["cpus"]
        self.memory_bytes = members["memory_bytes"]
        self.gpus = members.get("gpus", 0)
        self.accelerator = members.get("accelerator")
        self.timeout_seconds = members.get("timeout_seconds")
        self.attempt = members.get("attempt", 1)
        self.stdout = members["stdout"]
        self.stderr = members["stderr"]


class Runner:
    """Runs tasks for one run."""

    def __init__(self, exchange, spec):
        self.exchange = exchange
        self.spec = spec

    def run(self, task, prepare, is_cancelled):
        """
        Asks leave, runs the task, reports. `prepare(is_contained, grant)` gives a Command once it is known where it runs.
        Raises Refused or Cancelled; returns an Outcome.
        """
        ask, grant = self.exchange.ask(
            "task.request",
            is_cancelled,
            name=task.name,
            image=task.image,
            cpus=task.cpus,
            memoryBytes=task.memory_bytes,
            gpus=task.gpus,
            accelerator=task.accelerator,
            attempt=task.attempt,
            timeoutSeconds=task.timeout_seconds,
        )
        if grant is None:
            self.exchange.emit("task.ended", task=ask, outcome="cancelled")
            raise Cancelled()
        if "refused" in grant:
            refused = grant["refused"]
            self.exchange.emit("task.ended", task=ask, outcome="failed", code=refused["code"], message=refused["message"])
            raise Refused(refused["code"], refused["message"])
        return self._run_granted(task, (ask, grant), prepare, is_cancelled)

    def _run_granted(self, task, granted, prepare, is_cancelled):
        ask, grant = granted
        is_contained = grant["containers"] != "host"
        try:
            command = prepare(is_contained, grant)
            process = Contained(ask, grant, command) if is_contained else OnHost(task, grant, command)
            process.start()
        except OSError as error:
            self.exchange.emit("task.ended", task=ask, outcome="failed", code="CANNOT_START_CONTAINER_ERROR", message=str(error))
            raise Refused("CANNOT_START_CONTAINER_ERROR", str(error)) from error
        self.exchange.emit("task.started", task=ask, stdout=task.stdout, stderr=task.stderr, **process.identity())
        outcome = self._follow(task, process, is_cancelled)
        usage = process.finish()
        if outcome is None:
            self.exchange.emit("task.ended", task=ask, outcome="cancelled", **usage)
            raise Cancelled()
        outcome = process.explain(outcome)
        self.exchange.emit(
            "task.ended",
            task=ask,
            outcome="completed" if command.is_success(outcome.exit_code) and outcome.code is None else "failed",
            exitCode=outcome.exit_code,
            code=outcome.code,
            message=outcome.message,
            **usage,
        )
        return outcome

    def _follow(self, task, process, is_cancelled):
        deadline = time.monotonic() + task.timeout_seconds if task.timeout_seconds else None
        while True:
            exit_code = process.wait(0.25)
            if exit_code is not None:
                return None if exit_code > 128 and _becomes(is_cancelled) else Outcome(exit_code)
            if is_cancelled():
                process.kill()
                return None
            if deadline is not None and time.monotonic() > deadline:
                process.kill()
                minutes = max(1, int(task.timeout_seconds // 60))
                return Outcome(137, "TASK_TIMED_OUT", "Task timed out after %d minutes" % minutes)
            if process.is_over_memory():
                process.kill()
                return Outcome(137, "OUT_OF_MEMORY_ERROR", "Task ran out of memory")


def _becomes(is_cancelled):
    """A signal to the process group reaches the task and us in any order: wait a little for ours."""
    for _ in range(5):
        if is_cancelled():
            return True
        time.sleep(0.02)
    return False


class Command:
    """A command line and where it runs."""

    def __init__(self, **members):
        self.script = members["script"]
        self.folder = members["folder"]
        self.inside_folder = members.get("inside_folder", self.folder)
        self.mounts = members.get("mounts", [])
        self.environment = members.get("environment", {})
        self.shell = members.get("shell", "/bin/sh")
        self.is_success = members.get("is_success", lambda code: code == 0)
        self.owned = members.get("owned", [])


class OnHost:
    """A command on this machine: in the engine's process group, so that ending the run ends it too. Not isolated."""

    def __init__(self, task, grant, command):
        self.limit = grant.get("memoryBytes") or task.memory_bytes
        self.grant = grant
        self.command = command
        self.peak = 0
        self.process = None
        self._next_look = 0.0

    def start(self):
        environment = dict(self.grant.get("environment", {}))
        environment.update(self.command.environment)
        self.process = subprocess.Popen(
            [self.command.shell, "-c", self.command.script],
            cwd=self.command.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def identity(self):
        return {"pid": self.process.pid}

    def wait(self, seconds):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return 128 - code if code < 0 else code

    def is_over_memory(self):
        # A look at every process of the tree costs about a millisecond each: twice a second is enough.
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + 0.5
        used = sum(_resident(process) for process in self._tree())
        self.peak = max(self.peak, used)
        return used > self.limit

    def kill(self):
        for process in self._tree():
            try:
                process.kill()
            except psutil.Error:
                pass
        self.process.wait()

    def _tree(self):
        try:
            root = psutil.Process(self.process.pid)
            return [root] + root.children(recursive=True)
        except psutil.Error:
            return []

    def finish(self):
        return {"peakMemoryBytes": self.peak} if self.peak else {}

    def explain(self, outcome):
        return outcome


def _resident(process):
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


class Contained:
    """A command in a container of Docker or Podman, without network unless the run has one."""

    def __init__(self, ask, grant, command):
        self.grant = grant
        self.command = command
        self.name = "omx-" + ask
        self.process = None

    def start(self):
        # The daemon's own words ("invalid mount", "no such image") go to a file of ours, not into the task's stderr.
        self.log_path = os.path.join(self.command.folder, "..", self.name + ".log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                self._invocation(), cwd=self.command.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def identity(self):
        return {"container": self.name}

    def _invocation(self):
        grant = self.grant
        line = [grant["executable"], "run", "--name", self.name, "--pull", "never", "--entrypoint", ""]
        line += ["--label", "omx.run=" + grant["run"], "--network", grant["network"]]
        line += ["--cpus", str(grant["cpus"]), "--memory", str(grant["memoryBytes"]), "--memory-swap", str(grant["memoryBytes"])]
        line += ["--workdir", self.command.inside_folder]
        environment = dict(grant.get("environment", {}))
        environment.update(self.command.environment)
        for name, value in environment.items():
            line += ["--env", name + "=" + value]
        for inside, outside, is_writable in self.command.mounts:
            line += ["--mount", "type=bind,source=%s,target=%s%s" % (_field(outside), _field(inside), "" if is_writable else ",readonly")]
        return line + [grant["image"]["reference"], self.command.shell, "-c", self._script()]

    def _script(self):
        # Where a root daemon serves a common user, what the task wrote must become the user's again.
        if os.geteuid() == 0 or not self.command.owned or self.grant["containers"] != "docker":
            return self.command.script
        owned = " ".join(shlex.quote(path) for path in self.command.owned)
        return "%s\nomx_status=$?\nchown -R %d:%d %s 2>/dev/null\nexit $omx_status" % (
            self.command.script, os.geteuid(), os.getegid(), owned)

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def is_over_memory(self):
        return False

    def kill(self):
        subprocess.run([self.grant["executable"], "kill", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process.wait()

    def explain(self, outcome):
        if outcome.exit_code == 137 and outcome.code is None and self._is_oom_killed:
            return Outcome(137, "OUT_OF_MEMORY_ERROR", "Task ran out of memory")
        if outcome.exit_code in (125, 126, 127) and outcome.code is None:
            said = self._daemon_said()
            if said:
                return Outcome(outcome.exit_code, "CANNOT_START_CONTAINER_ERROR", said)
        return outcome

    def _daemon_said(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read(2000).strip()

    def finish(self):
        inspected = subprocess.run(
            [self.grant["executable"], "inspect", "--format", "{{.State.OOMKilled}}", self.name],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        self._is_oom_killed = inspected.stdout.strip() == "true"
        # Removal takes longer than the next task should wait.
        threading.Thread(target=self._remove, daemon=False).start()
        return {}

    def _remove(self):
        subprocess.run([self.grant["executable"], "rm", "--force", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _field(path):
    """A path as a field of --mount, which is read as CSV."""
    return '"%s"' % path.replace('"', '""') if any(mark in path for mark in ',"') else path
