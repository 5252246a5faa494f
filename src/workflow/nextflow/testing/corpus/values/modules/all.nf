def local_tag = 'v9'
def images = [ ten: 'ten:10', 'eleven-x': "eleven:${11}" ]
global_image = params.gpu ? 'twelve:gpu' : "twelve:${params.tags[params.which]}"
process ONE { container "${params.registry}/one:${params.tags.one}"
  script: "true" }
process TWO { container params.registry + '/two:' + params.tags[params.which]
  script: "true" }
process THREE { container params.images.three
  script: "true" }
process FOUR { container { params.images['four'] }
  script: "true" }
process FIVE { container params.five_image ?: 'five:default'
  script: "true" }
process SIX { script: "true" }
process SEVEN { script: "true" }
process EIGHT { container 'own/eight'
  script: "true" }
process NINE { container "nine:$local_tag"
  script: "true" }
process TEN { container images.ten
  script: "true" }
process ELEVEN { container "${images['eleven-x']}".toString()
  script: "true" }
process TWELVE { container global_image
  script: "true" }
