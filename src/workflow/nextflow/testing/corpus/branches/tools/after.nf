include { TOOL as TOOL_AFTER } from './tool'

workflow AFTER {
    TOOL_AFTER()
}
