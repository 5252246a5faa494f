#!/usr/bin/env bash
# Runs the OCI distribution-spec conformance suite against the local ECR, in a data folder of its own.
#
#   bench/images/conformance.sh SUITE [RESULTS]
#
# SUITE is the suite's test program: `go test -c -o SUITE` in a checkout's folder `conformance`, of the release of
# github.com/opencontainers/distribution-spec to be tested against. RESULTS (default: a new folder) gets its reports.
set -euo pipefail
suite=$(realpath "${1:?name the suite: bench/images/conformance.sh SUITE [RESULTS]}")
results=$(realpath "${2:-$(mktemp -d)}")
root=$(realpath "$(dirname "$0")/../..")
started=$(mktemp)

"$root/node_modules/.bin/node" "$root/bench/images/local-ecr.ts" <<<'["conformance", "crossmount"]' >"$started" &
server=$!
trap 'kill "$server"; wait "$server" 2>/dev/null || true; rm -f "$started"' EXIT
until [ -s "$started" ]; do
  kill -0 "$server" 2>/dev/null || { echo "the local accounts did not start" >&2; exit 1; }
  sleep 0.1
done
field() { "$root/node_modules/.bin/node" -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]]' "$started" "$1"; }

host=$(field host)
prefix=$(field prefix)
export OCI_ROOT_URL="http://$host" OCI_USERNAME=$(field username) OCI_PASSWORD=$(field password)
export OCI_NAMESPACE="${prefix#"$host"/}conformance" OCI_CROSSMOUNT_NAMESPACE="${prefix#"$host"/}crossmount"
export OCI_TEST_PULL=1 OCI_TEST_PUSH=1 OCI_TEST_CONTENT_DISCOVERY=1 OCI_TEST_CONTENT_MANAGEMENT=1
echo "reports: $results" >&2
cd "$results" && "$suite"
