"""
The task runner: one command, in a container or on the host, under the limits that the local accounts grant.

The same runner serves every engine. It never pulls: the accounts bring the image before they grant the task.
"""

import time

from .inside import CODE, first_outside, refusal
from .processes import Contained, OnHost, Outcome


class Refused(Exception):
    """The accounts refuse to start the task: its image can't be read, or its resources can't be had."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Cancelled(Exception):
    """The run ended before the task did."""


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
            self._refuse(ask, grant["refused"]["code"], grant["refused"]["message"])
        return self._run_granted(task, (ask, grant), prepare, is_cancelled)

    def _refuse(self, ask, code, message):
        self.exchange.emit("task.ended", task=ask, outcome="failed", code=code, message=message)
        raise Refused(code, message)

    def _run_granted(self, task, granted, prepare, is_cancelled):
        ask, grant = granted
        is_contained = grant["containers"] != "host"
        try:
            command = prepare(is_contained, grant)
            outside = first_outside(command.sources, self.spec["root"])
            if outside is not None:
                self._refuse(ask, CODE, refusal(outside))
            process = Contained(ask, grant, command) if is_contained else OnHost(task, grant, command)
            process.start()
        except OSError as error:
            self._refuse(ask, "CANNOT_START_CONTAINER_ERROR", str(error))
        self.exchange.emit("task.started", task=ask, stdout=task.stdout, stderr=task.stderr, **process.identity())
        outcome = self._follow(task, process, is_cancelled)
        usage = process.finish(outcome)
        if outcome is None:
            self.exchange.emit("task.ended", task=ask, outcome="cancelled", **usage)
            raise Cancelled()
        outcome = process.explain(outcome)
        if is_contained:
            command.tidy()
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
