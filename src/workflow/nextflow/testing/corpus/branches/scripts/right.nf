include { TOOL as TOOL_RIGHT } from '../tools/tool'

workflow WAY {
    TOOL_RIGHT()
}
