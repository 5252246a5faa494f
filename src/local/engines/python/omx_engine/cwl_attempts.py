"""
Retries of tools that ran out of memory (guide, "CWL"): a tool with the hint OutOfMemoryRetry is made into a new job with more,
so that `$(runtime.ram)` is what the attempt has.
"""

import math

RETRY = "http://arvados.org/cwl#OutOfMemoryRetry"
MOST_RETRIES, MOST_MEBIBYTES, LEAST_FACTOR = 3, 1536 * 1024, 1.5


class Attempt:
    """One of the attempts at a tool; `name` is that of the first job, under which all of them are known."""

    def __init__(self, number=1, factor=None, name=None, ram=None):
        self.number = number
        self.name = name
        self.ram = ram
        self._factor = factor
        self._is_repeated = False

    def is_repeated(self, outcome):
        """Whether another attempt follows; asked when this one has failed."""
        self._is_repeated = outcome.code == "OUT_OF_MEMORY_ERROR" and self._more() is not None
        return self._is_repeated

    def next(self):
        return Attempt(self.number + 1, self._factor, self.name, self._more()) if self._is_repeated else None

    def _more(self):
        if self._factor is None or self.number > MOST_RETRIES:
            return None
        more = math.ceil(self.ram * self._factor)
        return more if more <= MOST_MEBIBYTES else None

    def context(self, context):
        """cwltool's context in which the resources of the tool are those of the attempt."""
        own = context.copy()

        def select(request, runtime_context):
            resources = context.select_resources(request, runtime_context)
            self.ram = self.ram or resources["ram"]
            return {**resources, "ram": self.ram}

        own.select_resources = select
        if self.number > 1:
            # A new attempt finds nothing of the last one.
            own.outdir = None
        return own


def attempt_of(job):
    return getattr(job, "attempt", None) or Attempt()


def attempts(tool, arguments, job):
    """The jobs of a tool, one after the other; `job` is cwltool's own maker of them. None while nothing is to be done."""
    order, callback, context = arguments
    retry, _ = tool.get_requirement(RETRY)
    factor = None if retry is None else max(LEAST_FACTOR, float(retry.get("memoryRetryMultiplier", 2)))
    attempt = Attempt(factor=factor)
    while attempt is not None:
        current, ended = attempt, []
        for made in job(order, lambda *end: ended.append(end), current.context(context)):
            if made is not None:
                current.name = current.name or made.name
                made.attempt = current
            yield made
        while not ended:
            yield None
        attempt = current.next()
    callback(*ended[0])
