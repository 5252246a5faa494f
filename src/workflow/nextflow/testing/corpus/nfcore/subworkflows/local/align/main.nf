include { BWA_MEM  } from '../../../modules/nf-core/bwa/mem/main'
include { BAM_SORT } from '../../nf-core/bam_sort/main'
workflow ALIGN {
    take:
    reads
    main:
    BWA_MEM ( reads )
    BAM_SORT ( BWA_MEM.out.bam )
    emit:
    bam = BAM_SORT.out.bam
}
