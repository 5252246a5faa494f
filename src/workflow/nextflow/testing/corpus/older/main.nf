nextflow.enable.dsl = 2
def modules = [ 'one': [ args: '-x', tag: 'modules' ] ]
include { ONE } from './modules/one' addParams( options: modules['one'] )
include { ONE as UNO } from './modules/one' addParams( options: [ args: '-y', tag: 'uno' ] )
include { TWO } from './modules/two'
workflow { ONE(); UNO(); TWO() }
