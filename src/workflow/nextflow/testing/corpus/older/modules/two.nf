include { imageFor } from './functions'
def suffix = params.tool_version == '2' ? 'two' : 'one'
version = "${params.tool_version}.0"
process TWO {
    container "${imageFor("tool-${suffix}", version)}"
    script:
    "true"
}
