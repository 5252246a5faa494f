include { TOOL as TOOL_STRAIGHT } from '../tools/tool'

workflow WAY {
    TOOL_STRAIGHT()
}
