LIMIT = 128

def gather(Map options)
{
    def checked = options.reads ?: LIMIT
    def all = join_reads(checked)
    | map { it -> it }
    return all
}

def count(Map options) {
    ch = options.reads
    | count_reads
    | map { [it] }
    return named(ch)
}

def named(ch) {
    name_reads(ch)
}

process join_reads {
    label 'reads'

    input:
    val x

    output:
    val x

    script:
    'echo'
}

process count_reads {
    label 'reads'

    input:
    val x

    output:
    val x

    script:
    'echo'
}

process name_reads {
    label 'reads'

    input:
    val x

    output:
    val x

    script:
    'echo'
}
