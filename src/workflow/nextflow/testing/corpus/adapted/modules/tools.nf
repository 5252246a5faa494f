process ONE { container "quay.io/biocontainers/one:1.0"
input: val x
script: "true" }
process TWO { container "two:2.0"
input: val x
script: "true" }
process THREE { container "public.ecr.aws/x/three:1"
input: val x
script: "true" }
