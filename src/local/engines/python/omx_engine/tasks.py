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
    """
    A command line and where it runs. In a container `arguments` are the container engine's own (mounts, folder,
    user); `argv` is what runs. `owned` are paths that must become ours where a root daemon wrote them.
    """

    def __init__(self, **members):
        self.argv = members["argv"]
        self.folder = members["folder"]
        self.arguments = members.get("arguments", [])
        self.environment = members.get("environment", {})
        self.stdin = members.get("stdin")
        self.stdout = members.get("stdout")
        self.stderr = members.get("stderr")
        self.is_success = members.get("is_success", lambda code: code == 0)
        self.owned = members.get("owned", [])
        # Our own streams: the engine reads them.
        self.inherits = members.get("inherits", False)

    def popen(self, argv, environment, is_apart=False):
        """
        Starts a process with the command's files as its streams; where none is named there is nothing.
        `is_apart` keeps it out of the engine's process group, so that a signal to that does not reach it.
        """
        if self.inherits:
            return subprocess.Popen(argv, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=is_apart)
        streams = [open(path, mode) if path else None for path, mode in
                   ((self.stdin, "rb"), (self.stdout, "ab"), (self.stderr, "ab"))]
        try:
            named = [stream if stream is not None else subprocess.DEVNULL for stream in streams]
            return subprocess.Popen(argv, cwd=self.folder, env=environment, stdin=named[0], stdout=named[1], stderr=named[2],
                                    start_new_session=is_apart)
        finally:
            for stream in streams:
                if stream is not None:
                    stream.close()


def mount(inside, outside, is_writable):
    """The argument that binds a path of the host into a container."""
    return ["--mount", "type=bind,source=%s,target=%s%s" % (_field(outside), _field(inside), "" if is_writable else ",readonly")]


def _field(path):
    """A path as a field of --mount, which is read as CSV."""
    return '"%s"' % path.replace('"', '""') if any(mark in path for mark in ',"') else path


def _exit_code(process, seconds):
    """As a shell says it, 128 and the signal, where a signal ended the task or its container's client; None while it runs."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    return 128 - code if code < 0 else code


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
        self.process = self.command.popen(self.command.argv, environment)

    def identity(self):
        return {"pid": self.process.pid}

    def wait(self, seconds):
        return _exit_code(self.process, seconds)

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
        self._is_oom_killed = False
        # The daemon's own words ("invalid mount", "no such image") come on stderr, where the task's own do too.
        self._stderr_before = os.path.getsize(command.stderr) if command.stderr and os.path.exists(command.stderr) else 0

    def start(self):
        # A client that dies while its daemon makes the container leaves one that nobody knows: we end the container, not the client.
        self.process = self.command.popen(self._invocation(), None, is_apart=True)

    def identity(self):
        return {"container": self.name}

    def _invocation(self):
        grant = self.grant
        line = [grant["executable"], "run", "--name", self.name, "--pull", "never", "--entrypoint", ""]
        line += ["--label", "omx.run=" + grant["run"], "--network", grant["network"], "--log-driver", "none"]
        line += ["--cpus", str(grant["cpus"]), "--memory", str(grant["memoryBytes"]), "--memory-swap", str(grant["memoryBytes"])]
        if self.command.stdin:
            line.append("--interactive")
        for inside, outside in ((inside, outside) for outside, inside in grant.get("mounts", [])):
            line += mount(inside, outside, False)
        environment = dict(grant.get("environment", {}))
        environment.update(self.command.environment)
        for name, value in environment.items():
            line += ["--env", name + "=" + value]
        return line + self.command.arguments + [grant["image"]["reference"]] + self._argv()

    def _argv(self):
        # Where a root daemon serves a common user, what the task wrote must become the user's again.
        if os.geteuid() == 0 or not self.command.owned or self.grant["containers"] != "docker":
            return self.command.argv
        owned = " ".join(shlex.quote(path) for path in self.command.owned)
        script = '"$@"; omx_status=$?; chown -R %d:%d %s 2>/dev/null; exit $omx_status' % (os.geteuid(), os.getegid(), owned)
        return ["/bin/sh", "-c", script, "sh"] + self.command.argv

    def wait(self, seconds):
        return _exit_code(self.process, seconds)

    def is_over_memory(self):
        return False

    def kill(self):
        # Until the daemon has started the container there is nothing to kill.
        while self.process.poll() is None:
            subprocess.run([self.grant["executable"], "kill", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _exit_code(self.process, 0.2)

    def explain(self, outcome):
        if outcome.exit_code == 137 and outcome.code is None and self._is_oom_killed:
            return Outcome(137, "OUT_OF_MEMORY_ERROR", "Task ran out of memory")
        if outcome.exit_code in (125, 126, 127) and outcome.code is None and not self._has_run:
            return Outcome(outcome.exit_code, "CANNOT_START_CONTAINER_ERROR", self._daemon_said())
        return outcome

    def _daemon_said(self):
        if not self.command.stderr:
            return "The container could not be started"
        with open(self.command.stderr, encoding="utf-8", errors="replace") as said:
            said.seek(self._stderr_before)
            return said.read(2000).strip()

    def finish(self):
        """What is left of the container tells how it ended; then it goes, which takes longer than the next task should wait."""
        inspected = subprocess.run(
            [self.grant["executable"], "inspect", "--format", "{{.State.OOMKilled}} {{.State.Pid}} {{.State.StartedAt}}", self.name],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        words = inspected.stdout.split()
        self._is_oom_killed = words[:1] == ["true"]
        self._has_run = len(words) == 3 and not words[2].startswith("0001-")
        threading.Thread(target=self._remove, daemon=False).start()
        return {}

    def _remove(self):
        subprocess.run([self.grant["executable"], "rm", "--force", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
