"""
Nextflow's tasks: its `docker` (nextflow_docker.sh) writes to a pipe that it would run, has ended, or shall stop a task, and
waits for the answer in a pipe of its own. Each task is followed by a thread here; its command is run there, where its
streams are.
"""

import os
import re
import shlex
import shutil
import subprocess
import threading

import psutil

from .processes import Command, mount
from .tasks import Cancelled, Refused, Runner, Task

GIB = 1024 ** 3
# Stands where a process names no container: the accounts bring the service's own image for it.
NO_IMAGE = "omx.invalid/no-image"
# Options of Nextflow's `docker run` that have a value as the next word.
VALUED = {"--cpu-shares", "--cpus", "--memory", "-e", "--env", "-v", "--volume", "-w", "--workdir", "--name", "-u", "--user", "--entrypoint",
          "--shm-size", "--gpus", "--network", "--net", "--platform", "--mount", "--env-file", "--ulimit"}
UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024 ** 2, "g": GIB}


def main(words):
    folder = os.environ.pop("OMX_RUN")
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    # The container engine of this machine has our name: we must not find ourselves.
    own = os.path.join(folder, "run", "bin")
    os.environ["PATH"] = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != own)
    if words[:1] == ["run"]:
        return run(folder, words[1:])
    if words[:1] in (["stop"], ["kill"]):
        return stop(folder, words[-1])
    return 0


class TaskServer:
    """Follows the tasks of one run until it is closed. `refusal` is the run's result where the accounts refused a task."""

    def __init__(self, run):
        self.run = run
        self.refusal = None
        self.has_failed_task = False
        self._runner = Runner(run.exchange, run.spec)
        self._remotes = {}
        self._stopped = set()
        self._threads = []
        pipe = run.path("tasks", "ask")
        os.mkfifo(pipe)
        # Writing as well, so that it never ends.
        self._pipe = os.open(pipe, os.O_RDWR)
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        """Nextflow has ended: what it left is cancelled."""
        self.run.is_over = True
        for thread in self._threads:
            thread.join()

    def _listen(self):
        with os.fdopen(self._pipe, encoding="utf-8") as lines:
            for line in lines:
                word, name, *rest = line.split()
                if word == "run":
                    thread = threading.Thread(target=self._serve, args=(int(name),), daemon=True)
                    self._threads.append(thread)
                    thread.start()
                elif word == "end":
                    remote = self._remotes.get(int(name))
                    if remote is not None:
                        remote.end(int(rest[0]))
                else:
                    self._stopped.add(name)

    def _serve(self, pid):
        folder = self.run.path("tasks", str(pid))
        with open(os.path.join(folder, "request"), encoding="utf-8", errors="surrogateescape") as file:
            work, *words = file.read()[:-1].split("\0")
        line = Line(words)
        remote = self._remotes[pid] = Remote(pid, folder)
        remote.tell("end %d" % self._follow(line, work, remote))
        # The kernel gives the pid anew one day.
        del self._remotes[pid]
        shutil.rmtree(folder, ignore_errors=True)

    def _follow(self, line, work, remote):
        """The exit code that Nextflow sees."""
        def prepare(is_contained, _grant):
            given = {"argv": line.argv, "folder": work, "remote": remote.start, "sources": line.sources()}
            if is_contained:
                written = [work, self.run.path("out")]
                return Command(arguments=line.kept(written), owned=written, tidy=lambda: _tidy(work), **given)
            return Command(**given)

        def is_cancelled():
            return self.run.is_cancelled or self.run.is_over or line.value("--name") in self._stopped or not remote.is_there()

        try:
            outcome = self._runner.run(_task(line, work), prepare, is_cancelled)
        except Cancelled:
            return 143
        except Refused as refused:
            self.refusal = self.refusal or {"outcome": "failed", "code": refused.code, "message": str(refused)}
            return 1
        self.has_failed_task = self.has_failed_task or outcome.exit_code != 0
        if outcome.message:
            with open(os.path.join(work, ".command.err"), "a", encoding="utf-8") as file:
                file.write(outcome.message + "\n")
        return outcome.exit_code


class Remote:
    """A command that our `docker` runs for us: like a Popen, as far as a task needs one."""

    def __init__(self, pid, folder):
        self.pid = pid
        self.returncode = None
        self._folder = folder
        self._ended = threading.Event()

    def start(self, argv, environment, is_apart):
        """Apart from the engine's process group, so that a signal to that does not reach it, where the machine can do so."""
        # What the pipeline sets for its tasks goes before what every task has.
        lines = ['[ -n "${%s+x}" ] || export %s=%s' % (name, name, shlex.quote(value)) for name, value in (environment or {}).items()]
        words = " ".join(shlex.quote(word) for word in argv)
        if is_apart:
            lines.append("sh -c 'echo $PPID' > %s" % shlex.quote(self._file("client")))
            lines.append("command -v setsid > /dev/null && exec setsid " + words)
        with open(self._file("command"), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join(lines + ["exec " + words]) + "\n")
        self.tell("start")
        return self

    def tell(self, words):
        """Answers our `docker`. Where it is gone nobody waits."""
        try:
            pipe = os.open(self._file("answer"), os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        try:
            os.write(pipe, (words + "\n").encode())
        finally:
            os.close(pipe)

    def end(self, code):
        self.returncode = code
        self._ended.set()

    def is_there(self):
        return psutil.pid_exists(self.pid)

    def poll(self):
        # Our `docker` may be killed while the client of the container engine goes on.
        if self.returncode is None and not self.is_there() and not self._has_client() and not self._ended.wait(0.1):
            self.end(137)
        return self.returncode

    def wait(self, seconds=None):
        """Raises TimeoutExpired as Popen does."""
        while seconds is None and self.poll() is None:
            self._ended.wait(0.1)
        if not self._ended.wait(seconds) and self.poll() is None:
            raise subprocess.TimeoutExpired("docker", seconds)
        return self.returncode

    def _has_client(self):
        try:
            with open(self._file("client"), encoding="utf-8") as file:
                return psutil.pid_exists(int(file.read() or 0))
        except (OSError, ValueError):
            return False

    def _file(self, name):
        return os.path.join(self._folder, name)


class Line:
    """`docker run` taken apart."""

    def __init__(self, words):
        self.options = []
        while words and words[0].startswith("-"):
            name, equals, value = words[0].partition("=")
            if equals:
                self.options.append((name, value))
                words = words[1:]
            elif name in VALUED:
                self.options.append((name, words[1]))
                words = words[2:]
            else:
                self.options.append((name, None))
                words = words[1:]
        self.image = words[0]
        self.argv = words[1:]

    def value(self, *names):
        return next((value for name, value in self.options if name in names), None)

    def sources(self):
        """Files and folders of this machine that the task is given."""
        return [value.split(":")[0] for name, value in self.options if name in ("-v", "--volume")]

    def kept(self, written):
        """
        Environment, mounts, folder and user: what describes the task. The rest is the task runner's. Nextflow mounts what
        its inputs have in common, which may be the run's whole folder: what the task writes is `written` alone.
        """
        arguments = [word for outside in self.sources() if outside not in written for word in mount(outside, outside, False)]
        arguments += [word for outside in written for word in mount(outside, outside, True)]
        for name, value in self.options:
            if name in ("-e", "--env", "-w", "--workdir", "-u", "--user", "--shm-size"):
                arguments += [name, value]
        return arguments

    def folder(self, work):
        """Where Nextflow keeps the task's files: with `scratch` that is not where it works."""
        if os.path.exists(os.path.join(work, ".command.run")):
            return work
        launched = re.search(r"(/\S*)/\.command\.(?:sh|run)\b", " ".join(self.argv))
        return launched.group(1) if launched else work

    def gpus(self):
        """How many accelerators, and of which type: our configuration of Nextflow says so."""
        count, _, kind = (self.value("--gpus") or "").partition(":")
        return {"gpus": int(count) if count.isdigit() else 0, "accelerator": kind or None}


def _tidy(work):
    """Nextflow and the log read these here, where a link of the container's leads to something else."""
    for name in os.listdir(work):
        path = os.path.join(work, name)
        if name.startswith((".command.", ".exitcode")) and os.path.islink(path):
            os.remove(path)


def _task(line, work):
    return Task(
        name=_name(line.folder(work)),
        image=None if line.image.endswith(NO_IMAGE) else line.image,
        cpus=_cpus(line),
        memory_bytes=_bytes(line.value("--memory")) or GIB,
        **line.gpus(),
        stdout=os.path.join(work, ".command.out"),
        stderr=os.path.join(work, ".command.err"),
    )


def _name(work):
    try:
        with open(os.path.join(work, ".command.run"), encoding="utf-8") as file:
            match = re.search(r"^### name: '(.*)'$", file.read(4096), re.MULTILINE)
    except OSError:
        match = None
    return match.group(1) if match else "task"


def _cpus(line):
    """Nextflow writes whole CPUs as --cpu-shares of 1024 each."""
    shares = line.value("--cpu-shares")
    if shares:
        return max(1, int(shares) // 1024)
    return max(1, round(float(line.value("--cpus") or 1)))


def _bytes(text):
    match = re.fullmatch(r"(\d+)([bkmg]?)", (text or "").lower())
    return int(match.group(1)) * UNITS[match.group(2)] if match else None
