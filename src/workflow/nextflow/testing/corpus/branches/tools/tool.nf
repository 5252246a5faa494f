process TOOL {
    container "tool/x:${params.tag}-${params.late ?: 'unset'}"

    script:
    'echo'
}
