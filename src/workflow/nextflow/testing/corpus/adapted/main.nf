params.three_tag = null
include { ONE; TWO } from './modules/tools'
include { TWO as SECOND_TWO; TWO as TWICE; THREE } from "$projectDir/modules/tools.nf"
workflow SUB { ONE('a') ; SECOND_TWO('b') }
workflow { SUB(); TWO('c'); TWICE('d'); THREE('e') }
