version 1.1

workflow hello {
  input {
    String who
    String greeting = "hello"
  }
  call greet { input: who, greeting }
  output {
    String said = greet.said
  }
}

task greet {
  input {
    String who
    String greeting
  }
  command <<< echo ~{greeting} ~{who} >>>
  output {
    String said = read_string(stdout())
  }
}
