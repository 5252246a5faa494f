include { GENE_MAP; STAR_ALIGN; UNTOUCHED } from './m'
include { STAR_ALIGN as STAR_TWO } from './m'
workflow SUB { GENE_MAP(); STAR_TWO() }
workflow { SUB(); STAR_ALIGN(); UNTOUCHED() }
