version 1.0

## Structs of runtime attributes with overrides: the values of the override win one by one.

import "lib/structs.wdl"

workflow CallSV {
  input {
    Array[String]+ sample_ids
    Array[File?] crams
    File? ped_file
    String sv_base_mini_docker
    String linux_docker = "marketplace.gcr.io/google/ubuntu1804"
    RuntimeAttr? runtime_attr_merge
    RuntimeAttr? runtime_attr_count
    Boolean run_module = true
    Pair[Int, Float?]? thresholds
  }

  parameter_meta {
    sample_ids: { help: "Names of the samples", suggestions: ["NA12878"], nested: { deep: [ [1, 2], { x: -1.5e3 } ] } }
    crams: "One per sample"
    sv_base_mini_docker: 'An image with "bcftools"'
  }

  scatter (i in range(length(sample_ids))) {
    if (defined(crams[i])) {
      call CountReads {
        input:
          sample = sample_ids[i],
          cram = select_first([crams[i]]),
          docker_image = sv_base_mini_docker,
          runtime_attr_override = runtime_attr_count,
      }
    }
    String sample_label = "~{sample_ids[i]}" + "_~{i}"
  }

  Array[File] counts = select_all(CountReads.out)

  if (run_module && length(counts) > 0) {
    call MergeCounts as Merge { input: counts = counts, docker = linux_docker, runtime_attr_override = runtime_attr_merge }
    File merged_inner = Merge.merged
  }

  output {
    File? merged = merged_inner
    Array[File?] all_counts = CountReads.out
    Array[String] labels = sample_label
  }
}

task CountReads {
  input {
    String sample
    File cram
    String docker_image
    RuntimeAttr? runtime_attr_override
  }
  RuntimeAttr default_attr = object {
    cpu_cores: 1,
    mem_gb: 3.75,
    disk_gb: ceil(10.0 + size(cram, "GiB") * 1.5),
    boot_disk_gb: 10,
    preemptible_tries: 3,
    max_retries: 1
  }
  RuntimeAttr runtime_attr = select_first([runtime_attr_override, default_attr])
  Float mem = select_first([runtime_attr.mem_gb, default_attr.mem_gb])
  Int command_mem_mb = ceil(mem * 1000 - 500)

  output {
    File out = "~{sample}.counts.tsv"
  }

  command <<<
    set -Eeuo pipefail
    # a "quote' and a ~ that is no interpolation, ${shell} and $(subshell)
    awk -F'\t' '{ print $1 ">" $2 }' <(samtools view ~{cram}) > ~{sample}.counts.tsv
    cat <<- 'EOT' > script.py
    d = {"k": f"{1}", "r": r'\d+'}
    EOT
    echo ~{if mem > 4.0 then "big" else 'small'} ~{"nested ~{"deep " + sample}"} ~{true="yes" false='no' defined(runtime_attr_override)}
  >>>

  runtime {
    cpu: select_first([runtime_attr.cpu_cores, default_attr.cpu_cores])
    memory: "~{mem} GiB"
    disks: "local-disk " + select_first([runtime_attr.disk_gb, default_attr.disk_gb]) + " HDD"
    bootDiskSizeGb: select_first([runtime_attr.boot_disk_gb, default_attr.boot_disk_gb])
    docker: docker_image
    preemptible: select_first([runtime_attr.preemptible_tries, default_attr.preemptible_tries])
    maxRetries: select_first([runtime_attr.max_retries, default_attr.max_retries])
  }
}

task MergeCounts {
  input { Array[File] counts  String docker  RuntimeAttr? runtime_attr_override }
  command {
    paste ~{sep=" " counts} ${write_lines(counts)} > merged.tsv
  }
  runtime { docker: docker }
  output { File merged = "merged.tsv" }
}
