/** A workflow that says hello, whose task runs in an image. */
export const hello = (image: string): string => `version 1.1
workflow hello {
  input {
    String name = "World"
    File? sheet
  }
  call greet { input: name = name }
  output { String said = greet.said }
}
task greet {
  input { String name }
  command <<< echo "Hello, ~{name}" >>>
  output { String said = read_string(stdout()) }
  runtime { container: "${image}" cpu: 1 memory: "1 GiB" }
}
`;

/** Its omx.yaml, with one test. @param given what the test gives the workflow */
export const omxYaml = (expected: string, version = '"1.0"', given = "parameters: { name: World }"): string => `name: hello
version: ${version}
tests:
  - name: world
    ${given}
    expect: [{ output: said, equals: "${expected}" }]
`;
