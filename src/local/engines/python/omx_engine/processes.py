"""Commands as processes: on this machine, or in a container of Docker or Podman."""

import os
import select
import shlex
import subprocess
import threading
import time

import psutil


class Outcome:
    """How a task's command ended. `code` is HealthOmics's failure reason where the end was not the command's own."""

    def __init__(self, exit_code, code=None, message=None):
        self.exit_code = exit_code
        self.code = code
        self.message = message


class Command:
    """
    A command line and where it runs. In a container `arguments` are the container engine's own (mounts, folder,
    user); `argv` is what runs. `owned` are paths that must become ours where a root daemon wrote them. `sources` are the
    files and folders of this machine that it is given; `tidy` looks through what it left in a container.
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
        self.sources = members.get("sources", [])
        self.tidy = members.get("tidy", lambda: None)
        # Starts it in another process of ours, where its streams are: like `popen`.
        self.remote = members.get("remote")

    @property
    def is_remote(self):
        return self.remote is not None

    def popen(self, argv, environment, is_apart=False):
        """
        Starts a process with the command's files as its streams; where none is named there is nothing.
        `is_apart` keeps it out of the engine's process group, so that a signal to that does not reach it.
        """
        if self.remote is not None:
            return self.remote(argv, environment, is_apart)
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
    code = process.poll() if _has_pidfd(process, seconds) else _waited(process, seconds)
    return 128 - code if code is not None and code < 0 else code


def _has_pidfd(process, seconds):
    """Sleeps until a child ends, to the moment: Popen.wait looks again and again. False where the kernel can't."""
    if not isinstance(process, subprocess.Popen) or not hasattr(os, "pidfd_open"):
        return False
    if process.poll() is not None:
        return True
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        os.close(descriptor)
    return True


def _waited(process, seconds):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


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
            return ([] if self.command.is_remote else [root]) + root.children(recursive=True)
        except psutil.Error:
            return []

    def finish(self, _outcome):
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
        self._has_run = True
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
        if "sharedMemoryBytes" in grant:
            line += ["--shm-size", str(grant["sharedMemoryBytes"])]
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

    def finish(self, outcome):
        """What is left of the container tells why it failed; then it goes, which takes longer than the next task should wait."""
        if outcome is not None and outcome.exit_code in (125, 126, 127, 137):
            self._look()
        _removal.add(self.grant["executable"], self.name)
        return {}

    def _look(self):
        inspected = subprocess.run(
            [self.grant["executable"], "inspect", "--format", "{{.State.OOMKilled}} {{.State.Pid}} {{.State.StartedAt}}", self.name],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        words = inspected.stdout.split()
        # Podman does not always see it; who else kills a task from outside is us, and we know (HealthOmics goes by 137 alone).
        self._is_oom_killed = words[:1] == ["true"] or self.grant["containers"] == "podman"
        # Podman writes a time with blanks in it.
        self._has_run = len(words) > 2 and not words[2].startswith("0001-")


class Removal:
    """Removes containers behind the tasks' backs, as many at a time as there are: each call of the container engine costs its start."""

    def __init__(self):
        self._lock = threading.Lock()
        self._names = []
        self._is_running = False

    def add(self, executable, name):
        with self._lock:
            self._names.append(name)
            if self._is_running:
                return
            self._is_running = True
        # No daemon: the engine does not end before its containers are gone.
        threading.Thread(target=self._remove, args=(executable,), daemon=False).start()

    def _remove(self, executable):
        while True:
            with self._lock:
                names, self._names = self._names, []
                self._is_running = bool(names)
            if not names:
                return
            subprocess.run([executable, "rm", "--force"] + names, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


_removal = Removal()
