version 1.1

import "lib/backend.wdl" as backend_config alias RuntimeAttributes as Attributes
import "lib/structs.wdl" as s

workflow Phase {
  meta { description: "Registry and queue from a workflow without tasks" version: "2.3.1" allowNestedInputs: true }

  input {
    String backend
    String? container_registry
    String? custom_image
    File reference
    Array[Pair[String, File]]+ samples
    Reference? other
    Int threads = 8
    Directory_like not_a_directory = Directory_like { path: "x", "count": 2 }
  }

  call backend_config.backend_configuration { input: backend, registry = container_registry }

  Attributes default_attributes = backend_configuration.spot_attributes

  scatter (sample in samples) {
    call phase after backend_configuration {
      input:
        sample_id = sample.left, bam = sample.right, reference, threads,
        runtime_attributes = default_attributes
    }
  }

  if (defined(custom_image)) {
    call custom { input: image = select_first([custom_image]) }
  }

  output { Array[File] phased = phase.out  String? word = custom.word }
}

struct Directory_like { String path  Int count }

task phase {
  input {
    String sample_id
    File bam
    File reference
    Int threads = 4
    Attributes runtime_attributes
  }
  Int disk = ceil(size(bam, "GB") * 2 + size(reference, "GB") + 20)
  command <<<
    hiphase --threads ~{threads} --bam ~{bam} \
      ~{"--name " + sample_id} ~{sep(" ", prefix("-r ", [reference]))} > ~{sample_id}.out
  >>>
  output { File out = "~{sample_id}.out" }
  runtime {
    docker: "~{runtime_attributes.container_registry}/hiphase@sha256:" + "353b4ffdae4281bdd5daf5a73ea3bb26ea742ef2c36e9980cb1f1ed524a07482"
    cpu: threads
    memory: threads * 4 + " GB"
    disk: "~{disk} GB"
    zones: runtime_attributes.zones
  }
}

task custom {
  input { String image }
  command <<< echo >>>
  output { String word = read_string(stdout()) }
  runtime { container: image }
}
