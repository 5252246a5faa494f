process COMPUTED { script: "true" }
process SLASHY { script: 'true' }
process DOUBLE { script:
  "true" }
process TIGHT{
script: "true"
}
process CLOSURE { script: "true" }
process MAPS { container "${task.ext.image ?: 'none:1'}"; script: "true" }
process EXTCLOSURE { container "${task.ext.image ?: 'none:1'}"
  script: "true" }
process CONCAT { script: "true" }
process GENOME { script: "true" }
process REGISTRY { script: "true" }
