"""
What a workflow had given out before it failed: HealthOmics exports outputs of tasks that ended before (guide, "WDL"). miniwdl
evaluates an output as soon as what it is made of is there, and links all of them at the end of a workflow that succeeds.
"""

from WDL import Env
from WDL.runtime import workflow
from WDL.runtime._io_helpers import link_outputs

_remembered = []


class _Remembered(workflow.StateMachine):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        # The first is the run's own workflow: others are called by it.
        _remembered.append(self)


def remember_outputs():
    """From here on the state of the workflow that begins is kept."""
    workflow.StateMachine = _Remembered


def link_finished(logger):
    """Links the outputs that are there already where those of a whole workflow would be."""
    if not _remembered:
        return
    state = _remembered[0]
    found = Env.Bindings()
    for declared in state.workflow.outputs or []:
        for binding in state.job_outputs.get(declared.workflow_node_id) or ():
            found = found.bind(declared.name, binding.value)
    try:
        link_outputs(None, found, state.run_dir)
    except Exception as error:  # pylint: disable=broad-except
        logger.warning("outputs of finished tasks can't be given out: %s", error)
