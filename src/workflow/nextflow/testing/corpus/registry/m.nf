process GENE_MAP { container 'a:1'
 script: 'x' }
process STAR_ALIGN { container 'quay.io/b:1'
 script: 'x' }
process UNTOUCHED { container 'c/d:1'
 script: 'x' }
