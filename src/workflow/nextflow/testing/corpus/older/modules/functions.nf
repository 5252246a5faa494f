def initOptions(Map args) {
    def Map options = [:]
    options.args = args.args ?: ''
    return options
}
def imageFor(name, version = '1') {
    def host = 'biocontainers'
    return "${host}/${name}:${version}"
}
