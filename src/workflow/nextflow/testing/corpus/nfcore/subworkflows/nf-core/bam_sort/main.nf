include { SAMTOOLS_SORT  } from '../../../modules/nf-core/samtools/sort/main'
include { SAMTOOLS_INDEX } from '../../../modules/nf-core/samtools/index/main'
workflow BAM_SORT {
    take:
    bam
    main:
    SAMTOOLS_SORT ( bam )
    SAMTOOLS_INDEX ( SAMTOOLS_SORT.out.bam )
    emit:
    bam = SAMTOOLS_SORT.out.bam
}
