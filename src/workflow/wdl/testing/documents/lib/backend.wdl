version 1.1

struct RuntimeAttributes {
  Int preemptible_tries
  String zones
  String container_registry
}

workflow backend_configuration {
  input { String backend  String? zones  String? registry }
  String container_registry = select_first([registry, "quay.io/pacbio"])
  if (backend == "GCP") {
    RuntimeAttributes gcp = { "preemptible_tries": 3, "zones": select_first([zones]), "container_registry": container_registry }
  }
  if (backend == "AWS-HealthOmics") {
    RuntimeAttributes aws = RuntimeAttributes { preemptible_tries: 1, zones: "", container_registry: select_first([registry, "omics/pacbio"]) }
  }
  output { RuntimeAttributes spot_attributes = select_first([gcp, aws]) }
}
