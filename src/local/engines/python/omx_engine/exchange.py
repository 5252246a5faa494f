"""
The conversation with the local accounts: files in the run's folder, so that either side may die and come back.

We append events to `events.jsonl`, one JSON document a line. An event with an `ask` waits for
`answers/<ask>.json`, which the accounts write whole (by renaming). An ask that is already answered is not asked again.
"""

import json
import os
import threading
import time
import uuid
from datetime import datetime, timezone


class Abandoned(Exception):
    """The run's folder is gone: nobody will ever answer."""


def timestamp():
    """The present moment as ISO 8601 with microseconds and zone."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Exchange:
    def __init__(self, folder):
        self.folder = folder
        self._answers = os.path.join(folder, "answers")
        self._events = os.open(os.path.join(folder, "events.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lock = threading.Lock()
        self._look = threading.Lock()
        self._changed = threading.Condition()

    def emit(self, kind, **members):
        """Appends one event."""
        event = {"type": kind, "at": timestamp()}
        event.update({name: value for name, value in members.items() if value is not None})
        line = (json.dumps(event) + "\n").encode()
        with self._lock:
            os.write(self._events, line)

    def ask(self, kind, is_cancelled=lambda: False, **members):
        """Appends an event and waits for its answer; None when `is_cancelled` becomes true first."""
        ask = uuid.uuid4().hex
        self.emit(kind, ask=ask, **members)
        path = os.path.join(self._answers, ask + ".json")
        while not is_cancelled():
            try:
                with open(path, encoding="utf-8") as answer:
                    return ask, json.load(answer)
            except FileNotFoundError:
                if not os.path.isdir(self._answers):
                    raise Abandoned(self.folder)
            self._wait()
        return ask, None

    def _wait(self):
        """Until an answer comes, at most a tenth of a second. However many wait, one alone looks."""
        if not self._look.acquire(blocking=False):
            with self._changed:
                self._changed.wait(0.1)
            return
        try:
            pause, until, before = 0.002, time.monotonic() + 0.1, _changed_at(self._answers)
            while time.monotonic() < until and _changed_at(self._answers) == before:
                time.sleep(pause)
                pause = min(pause * 1.2, 0.02)
        finally:
            self._look.release()
            with self._changed:
                self._changed.notify_all()


def _changed_at(folder):
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


def write_whole(path, document):
    """Writes JSON so that a reader sees all of it or nothing."""
    partial = path + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(partial, path)
