"""
The `docker` that Nextflow finds: `run` goes to our task runner, `rm` has nothing to do, `stop` and `kill` end the task.
It is started by Nextflow in a task's work folder, for each task anew.
"""

import json
import os
import re
import signal
import sys

from .exchange import Exchange, write_whole
from .tasks import Cancelled, Command, Refused, Runner, Task, mount

GIB = 1024 ** 3
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

    def kept(self):
        """Environment, mounts, folder and user: what describes the task. The rest is the task runner's."""
        arguments = []
        for name, value in self.options:
            if name in ("-v", "--volume"):
                outside, inside = value.split(":")[:2]
                arguments += mount(inside, outside, not value.endswith(":ro"))
            elif name in ("-e", "--env", "-w", "--workdir", "-u", "--user", "--shm-size", "--mount"):
                arguments += [name, value]
        return arguments


def run(folder, words):
    line = Line(words)
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        spec = json.load(file)
    work = os.getcwd()
    is_ending = []
    signal.signal(signal.SIGTERM, lambda *_: is_ending.append(True))
    task = Task(
        name=_name(work),
        image=None if line.image.endswith("omx.invalid/no-image") else line.image,
        cpus=_cpus(line),
        memory_bytes=_bytes(line.value("--memory")) or GIB,
        gpus=0,
        stdout=os.path.join(work, ".command.out"),
        stderr=os.path.join(work, ".command.err"),
    )
    ended = os.path.join(folder, "run", "names", (line.value("--name") or "task") + ".end")

    def prepare(is_contained, _grant):
        if is_contained:
            return Command(argv=line.argv, folder=work, arguments=line.kept(), inherits=True, owned=[work])
        return Command(argv=line.argv, folder=work, environment=dict(os.environ), inherits=True)

    write_whole(ended[:-4] + ".pid", os.getpid())
    try:
        outcome = Runner(Exchange(folder), spec).run(task, prepare, lambda: bool(is_ending) or os.path.exists(ended))
    except Cancelled:
        return 143
    except Refused as refused:
        write_whole(os.path.join(folder, "run", "refused.json"), {"code": refused.code, "message": str(refused)})
        sys.stderr.write("%s: %s\n" % (refused.code, refused))
        return 1
    if outcome.exit_code != 0:
        write_whole(os.path.join(folder, "run", "task-failed"), True)
    if outcome.message:
        sys.stderr.write(outcome.message + "\n")
    return outcome.exit_code


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


def stop(folder, name):
    """The task that has this name is asked to end; it may not have begun."""
    write_whole(os.path.join(folder, "run", "names", name + ".end"), True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
