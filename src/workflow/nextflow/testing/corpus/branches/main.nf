// Scripts that a condition chooses, under one name, and parameters that scripts set between their includes.
nextflow.enable.dsl = 2

params.way = 'left'
params.tag = 'first'

include { TOOL as EARLY } from './tools/tool'

if (params.way == 'left') {
    include { WAY } from './scripts/left'
} else if (params.way == 'right') {
    include { WAY } from './scripts/right'
} else {
    include { WAY } from './scripts/straight'
}

if (params.way == 'left') {
    params.late = 'late-left'
} else {
    params.late = 'late-right'
}

include { TOOL } from './tools/tool'
include { AFTER } from './tools/after'

workflow {
    EARLY()
    WAY()
    TOOL()
    AFTER()
}
