# A workflow as collections of 2017 write it: no version, body declarations, ${} everywhere.

import "lib/draft2-tasks.wdl" as Tasks

workflow VariantCalling {
  File input_bam
  File input_bam_index
  String sample_name
  File ref_fasta
  Array[File] scattered_calling_intervals
  Int? preemptible_tries
  String gatk_docker = "broadinstitute/gatk:4.1.8.0"
  String gatk_path = "/gatk/gatk"
  Boolean? make_gvcf = true
  Boolean make_gvcf_or_default = select_first([make_gvcf, true])
  Float? extra_disk
  Map[String, String] labels = { "a" : "b" }

  String output_suffix = if make_gvcf_or_default then ".g.vcf.gz" else ".vcf.gz"

  scatter (interval in scattered_calling_intervals) {
    call Tasks.HaplotypeCaller as HC {
      input:
        bam = input_bam,
        bai = input_bam_index,
        interval = interval,
        out = sample_name + output_suffix,
        docker = gatk_docker,
        gatk = gatk_path,
        preemptible = preemptible_tries
    }
  }
  call Merge { input: vcfs = HC.vcf, name = sample_name, docker = gatk_docker }
  call Tasks.Count

  output {
    Merge.merged
    Count.*
    Array[File] shards = HC.vcf
    File? first = HC.vcf[0]
  }
}

task Merge {
  Array[File]+ vcfs
  String name
  String docker
  Int disk = ceil(size(vcfs[0], "GB")) + 20
  command <<<
    set -eo pipefail
    python <<CODE
    for x in {'a': 1}: print("%s" % x)
    CODE
    java -Xmx$((3 * 1000))m -jar merge.jar INPUT=${sep=' INPUT=' vcfs} OUTPUT=${name}.vcf ~{not_a_interpolation}
    awk '{ if ($1 > 2) print $0 }' x >> y
  >>>
  runtime {
    docker: docker
    memory: "3 GB"
    disks: "local-disk " + disk + " HDD"
    cpu: "1"
  }
  output { File merged = "${name}.vcf" Int n = read_int(stdout()) }
}
