"""The images that the tasks of a document use by default, as miniwdl's own evaluator computes them.

Inputs take their defaults; one without is unknown, and so is all that needs it. Nothing is run.
"""

import WDL
from WDL import StdLib, Type, Value


class Walk:
    def __init__(self):
        self.images = set()
        self.unresolved = set()

    def workflow(self, workflow, given):
        """Visits every call below; gives the workflow's outputs that are known."""
        env = self.inputs(workflow, workflow.inputs, given)
        env = self.body(workflow.body, env, workflow.effective_wdl_version)
        outputs = {}
        for output in workflow.outputs or []:
            value = evaluate(output.expr, env, workflow.effective_wdl_version)
            if value is not None:
                value = coerce(value, output.type)
            if value is not None:
                env = env.bind(output.name, value)
                outputs[output.name] = value
        return outputs

    def inputs(self, unit, declarations, given):
        env = WDL.Env.Bindings()
        for name, value in given.items():
            env = env.bind(name, value) if value is not UNKNOWN else env
        waiting = list(declarations or [])
        for _ in range(len(waiting) + 1):
            for decl in list(waiting):
                if decl.name in given and not takes_default(decl, given[decl.name]):
                    waiting.remove(decl)
                    continue
                value = default_of(decl, env, unit.effective_wdl_version)
                if value is not None:
                    env = rebind(env, decl.name, value)
                    waiting.remove(decl)
        return env

    def task(self, task, given):
        env = self.inputs(task, task.inputs if task.inputs is not None else task.postinputs, given)
        if task.inputs is not None:
            for _ in task.postinputs:
                for decl in task.postinputs:
                    env = self.declare(decl, env, task.effective_wdl_version)
        expression = task.runtime.get("container", task.runtime.get("docker"))
        if expression is not None:
            value = evaluate(expression, env, task.effective_wdl_version)
            items = value.value if isinstance(value, Value.Array) else [value]
            for item in items:
                if isinstance(item, Value.String) and item.value.strip():
                    self.images.add((task.name, item.value.strip()))
                else:
                    self.unresolved.add(task.name)
        outputs = {}
        for output in task.outputs:
            value = evaluate(output.expr, env, task.effective_wdl_version)
            value = None if value is None else coerce(value, output.type)
            if value is not None:
                outputs[output.name] = value
        return outputs

    def declare(self, decl, env, version):
        if decl.name in env or decl.expr is None:
            return env if decl.expr is not None or not decl.type.optional or decl.name in env else env.bind(decl.name, Value.Null())
        value = evaluate(decl.expr, env, version)
        value = None if value is None else coerce(value, decl.type)
        return env if value is None else env.bind(decl.name, value)

    def body(self, body, env, version):
        """All elements, again until no more values become known: they may stand in any order."""
        for _ in range(len(body) + 1):
            before = len(list(env))
            for element in body:
                env = self.element(element, env, version)
            if len(list(env)) == before:
                break
        return env

    def element(self, element, env, version):
        if isinstance(element, WDL.Decl):
            return self.declare(element, env, version)
        if isinstance(element, WDL.Call):
            return self.call(element, env, version)
        if isinstance(element, WDL.Conditional):
            return self.conditional(element, env, version)
        return self.scatter(element, env, version)

    def call(self, call, env, version):
        given = {}
        for name, expression in call.inputs.items():
            value = evaluate(expression, env, version)
            decl = call.callee.available_inputs.get(name)
            value = None if value is None or decl is None else coerce(value, decl.type.copy(optional=True))
            given[name] = UNKNOWN if value is None else value
        walk = Walk()
        if isinstance(call.callee, WDL.Task):
            outputs = walk.task(call.callee, given)
        else:
            outputs = walk.workflow(call.callee, given)
        if not hasattr(self, "latest"):
            self.latest = {}
        # The last look at a call knows most of its inputs.
        self.latest[(id(call), self.place)] = walk
        for name, value in outputs.items():
            if call.name + "." + name not in env:
                env = env.bind(call.name + "." + name, value)
        return env

    place = ()

    def conditional(self, section, env, version):
        condition = evaluate(section.expr, env, version)
        inner = self.body(section.body, env, version)
        if condition is None:
            return env
        for binding in inner:
            if binding.name not in env:
                env = env.bind(binding.name, binding.value if condition.value else Value.Null())
        if not condition.value:
            for name in declared_in(section.body):
                if name not in env:
                    env = env.bind(name, Value.Null())
        return env

    def scatter(self, section, env, version):
        array = evaluate(section.expr, env, version)
        if array is None or not array.value:
            # An input can fill an array that is empty by default: its tasks are looked at too.
            self.body(section.body, env, version)
            return env
        outer = self.place
        runs = []
        for index, item in enumerate(array.value):
            self.place = (*outer, index)
            runs.append(self.body(section.body, env.bind(section.variable, item), version))
        self.place = outer
        for name in {b.name for run in runs for b in run}:
            if name in env or name == section.variable or not all(name in run for run in runs):
                continue
            items = [run[name] for run in runs]
            env = env.bind(name, Value.Array(items[0].type, items))
        return env

    def gathered(self):
        for walk in getattr(self, "latest", {}).values():
            inner = walk.gathered()
            self.images |= inner.images
            self.unresolved |= inner.unresolved
        return self


UNKNOWN = object()


def declared_in(body):
    for element in body:
        if isinstance(element, WDL.Decl):
            yield element.name
        elif isinstance(element, WDL.Call):
            for output in element.effective_outputs:
                yield output.name
        else:
            yield from declared_in(element.body)


def takes_default(decl, value):
    return isinstance(value, Value.Null) and not decl.type.optional and decl.expr is not None


def default_of(decl, env, version):
    if decl.expr is None:
        return Value.Null() if decl.type.optional else None
    value = evaluate(decl.expr, env, version)
    return None if value is None else coerce(value, decl.type)


def rebind(env, name, value):
    return env.filter(lambda b: b.name != name).bind(name, value)


def coerce(value, type_):
    try:
        return value.coerce(type_)
    except Exception:
        return None


def evaluate(expression, env, version):
    try:
        return expression.eval(env, StdLib.Base(version))
    except Exception:
        return None


def images_of(document):
    walk = Walk()
    if document.workflow:
        walk.workflow(document.workflow, {})
    elif len(document.tasks) == 1:
        walk.task(document.tasks[0], {})
    walk.gathered()
    return sorted(walk.images), sorted(walk.unresolved)
