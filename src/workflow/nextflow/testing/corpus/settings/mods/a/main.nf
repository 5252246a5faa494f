process A {
    label "process_a"
    container "own/a:1"
    script: "x"
}
process B {
    label "process_b"
    container "own/b:1"
    script: "x"
}
process C {
    label "process_c"
    container "own/c:1"
    script: "x"
}
process D {
    label "process_d"
    container "own/d:1"
    script: "x"
}
process E {
    label "process_e"
    container "own/e:1"
    script: "x"
}
process F {
    label "process_f"
    container "own/f:1"
    script: "x"
}
process G {
    label "process_g"
    container "own/g:1"
    script: "x"
}
process H {
    label "process_h"
    container "own/h:1"
    script: "x"
}
process I {
    label "process_i"
    container "own/i:1"
    script: "x"
}
process J {
    label "process_j"
    container "own/j:1"
    script: "x"
}
process K {
    label "process_k"
    container "own/k:1"
    script: "x"
}
