task HaplotypeCaller {
  File bam
  File bai
  File interval
  String out
  String docker
  String gatk
  Int? preemptible
  Float memory_gb = 3.75
  command {
    ${gatk} --java-options "-Xmx${memory_gb}g" HaplotypeCaller \
      -I ${bam} -L ${interval} -O ${out} ${default="" "--opt " + preemptible} ${true="--gvcf" false="" defined(preemptible)}
  }
  runtime { docker: docker memory: memory_gb + " GB" preemptible: select_first([preemptible, 3]) maxRetries: 1 }
  output { File vcf = "${out}" }
  meta { author: "someone" email: "a@b.c" }
  parameter_meta { bam: "the reads" bai: "their index" }
}

task Count {
  command { echo 1 }
  output { Int lines = read_int(stdout())  String word = "w" }
  runtime { docker: 'ubuntu:18.04' }
}
