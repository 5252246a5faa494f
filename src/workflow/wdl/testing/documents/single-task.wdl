version 1.0
task only {
  input { File f  Int n = 1  Array[String]+? names  String image = "quay.io/x/only:~{n}" }
  Int twice = n * 2
  command <<< cat ~{f} >>>
  runtime { docker: image }
  output { File o = stdout() }
}
