version 1.0
workflow no_sections {
  String name
  Int? count
  String image = "busybox:1.36"
  call hello { input: name = name, image = image }
}
task hello {
  String name
  String image
  command { echo ${name} }
  runtime { docker: image }
}
