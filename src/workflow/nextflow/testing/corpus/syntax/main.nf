#!/usr/bin/env nextflow
import groovy.json.JsonSlurper
import java.nio.file.*
nextflow.enable.dsl=2

@groovy.transform.Field def FIELD = 'field'
def versions = [ one: '1', two: [deep: '2'] ]
def (left, right) = ['l', 'r']
final String TYPED = 'typed'
Map<String, List<String>> generic = [a: ['b']]
int number = 0x1F + 1_000 - 5 % 3 ** 2
tool_image = "tools/base:${versions.one}"

def banner(String a, int b = 1) {
    log.info """
    ==== ${a ?: 'x'} ====
    costs \$5 and ${ b > 1 ? "many {" : "one }" }
    """.stripIndent()
}
String imageOf(name) { "made/${name}:${name.size()}" }
String other() { return 'other' }

include {
    COMPUTED
    SLASHY ; DOUBLE
    TIGHT; CLOSURE; MAPS; EXTCLOSURE; CONCAT; GENOME; REGISTRY
} from './modules/many'
include { COMPUTED as OTHER_ONE } from './modules/many.nf'

process LOCAL {
    container "${tool_image}"
    script:
    if( params.threads > 2 )
        """
        awk '{print \$1; print "}"}' <<< \$(echo ${params.threads}) # comment with ' quote
        perl -e 'print "a\\tb\\n"' ; sed -e 's/"//g' -e "s/'/\\"/g"
        """
    else if ( true )
        '''
        echo "single ${not interpolated}"
        '''
    else
        error "no"
}

process SHELL {
    container imageless ?: 'shell/default:1'
    input:
    tuple val(meta), path('in?.txt'), val(x)
    each mode
    env FOO
    stdin
    output:
    tuple val(meta), path("${meta}.{bam,bai}"), emit: bam, optional: true
    stdout emit: text
    env 'BAR', emit: bar
    when: x != null
    shell:
    '''
    echo !{x} ${HOME}
    '''
}

process NATIVE {
    input: val x
    output: val y
    exec:
    y = x ** 2; println "y is $y"
}
imageless = null

workflow INNER_FLOW {
    take: data; more
    main:
    data
    | map { it * 2 }
    | set { doubled }
    LOCAL & TIGHT
    doubled.view { "v: $it" }.subscribe onNext: { println it }, onComplete: { println 'Done' }
    def result = more ? more.out : null
    emit:
    doubled
    renamed = doubled
}

workflow {
    banner 'hello', 2
    ch = Channel.of( 1..3 ).filter { n -> n % 2 == 0 }
        // a comment between
        .map { [ id: it, b: [a: 1] ] }
    def a = 1; def b = 2
    for (int i = 0; i < 2; i++) { a += i }
    for (x in [1, 2]) println x
    while (a < 0) { a++ }
    try { assert a >= 0 : 'negative' } catch (IllegalStateException | AssertionError e) { println e } finally { b = 3 }
    switch (a) { case 1: b = 1; break
        case [2, 3]:
            b = 2
            break
        default: b = 4 }
    def f = { -> 1 }
    def g = this.&banner
    def cast = (String) 'x' as String
    def m = "abc" =~ /b(.)/
    def path = file("$projectDir/x.txt") ?: []
    def cmp = a <=> b ? !a : -b
    def neg = !('a' in ['b']) && 'a' !in ['b'] && !(a instanceof String)
    def s = versions?.two?.deep ?: versions['one']
    def spread = [[x: 1], [x: 2]]*.x
    def big = """${ [1,2].collect { "i${it}" }.join(',') } and ${'$'} and $versions.two.deep."""
    COMPUTED(); SLASHY(); DOUBLE(); CLOSURE(); MAPS(); EXTCLOSURE(); CONCAT(); GENOME(); REGISTRY(); OTHER_ONE()
    LOCAL()
    SHELL(Channel.of(['m', [], 1]), ['a', 'b'], 'env', 'in')
    if (!params.skip) TIGHT() else { println 'skipped' }
    Channel.of(2) | NATIVE | view
}

workflow.onComplete {
    println "Pipeline completed at: $workflow.complete"
}
