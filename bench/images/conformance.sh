#!/usr/bin/env bash
# Runs the OCI distribution-spec conformance suite against the local ECR, in a data folder of its own.
#
#   bench/images/conformance.sh SUITE [RESULTS]
#
# SUITE is the suite's program, built in a checkout's folder `conformance` of github.com/opencontainers/distribution-spec:
# `go build -o SUITE .`, or `go test -c -o SUITE` for the releases up to 1.1.1, which are told where by other variables.
# RESULTS (default: a new folder) gets its reports. OCI_VERSION (default: 1.1) goes to the suite as it is. It counts as
# skipped what ECR does not do (behaviour.md).
#
# Without the suite: `node bench/images/conformance.ts` asks the same in our own words, of any registry.
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
export OCI_USERNAME=$(field username) OCI_PASSWORD=$(field password)
export OCI_REGISTRY=$host OCI_TLS=disabled OCI_REPO1="${prefix#"$host"/}conformance" OCI_REPO2="${prefix#"$host"/}crossmount" OCI_RESULTS_DIR=$results
export OCI_ROOT_URL="http://$host" OCI_NAMESPACE=$OCI_REPO1 OCI_CROSSMOUNT_NAMESPACE=$OCI_REPO2
export OCI_TEST_PULL=1 OCI_TEST_PUSH=1 OCI_TEST_CONTENT_DISCOVERY=1 OCI_TEST_CONTENT_MANAGEMENT=1
echo "reports: $results" >&2
cd "$results" && "$suite"
