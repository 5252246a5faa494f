process A { label 'small'
  container 'own/a'
  script: "true" }
process B { label 'big'
  label 'small'
  script: "true" }
process C { label "small"
  container 'own/c'
  script: "true" }
process D { container 'own/d'
  script: "true" }
process E { label 'small'
  container "${task.ext.image ?: 'own/e'}"
  script: "true" }
process G { script: "true" }
process H { script: "true" }
process I { label 'small'
  container 'own/i'
  script: "true" }
process Z { label 'small'
  script: "true" }
process Y { label 'huge'
  label 'small'
  container 'own/y'
  script: "true" }
workflow INNER { A(); C() }
workflow OUTER { INNER(); B(); C() ; D() }
workflow { A(); OUTER(); E(); G(); H(); I(); Z(); Y() }
