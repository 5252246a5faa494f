include { TOOL as TOOL_LEFT } from '../tools/tool'

workflow WAY {
    TOOL_LEFT()
}
