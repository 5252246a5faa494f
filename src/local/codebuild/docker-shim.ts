import { extname, join } from "node:path";

export interface DockerShim {
  readonly endpoint: string;
  /** Where the shim itself lies. */
  readonly bin: string;
  /** Registries that are read somewhere else. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** For Dockerfiles with other addresses. */
  readonly folder: string;
}

/**
 * A `docker` for builds: ECR's canonical address becomes the one where the local registry answers, and registries that
 * have a mirror are read from there, so that buildspecs and Dockerfiles run unmodified; a label keeps its text. Docker
 * treats 127.0.0.1 as an insecure registry by itself, so the daemon needs no configuration.
 */
export function dockerShim({ endpoint, bin, upstreams, folder }: DockerShim): string {
  const host = endpoint.replace(/^http:\/\//, "");
  const finder = [
    process.execPath,
    "--no-warnings",
    join(import.meta.dirname, `docker-images-main${extname(import.meta.filename)}`),
    endpoint,
    JSON.stringify(upstreams),
    folder,
  ];
  return `#!/usr/bin/env bash
PATH="\${PATH#${bin}:}"
real=$(command -v docker || command -v podman) || { echo "docker is not installed on this machine; RUN lines and docker commands need Docker, Podman or Buildah" >&2; exit 127; }
args=() before=
for arg in "$@"; do
  # What a label says is for readers of the image, not for Docker.
  case "$before $arg" in
    "--label "*|"-l "*|*" --label="*) args+=("$arg"); before=; continue ;;
  esac
  before="$arg"
  args+=("$(printf '%s' "$arg" | sed -E 's#([0-9]{12})\\.dkr\\.ecr(-fips)?\\.([a-z0-9-]+)\\.amazonaws\\.com(\\.cn)?/#${host}/\\1/\\3/#g; s#(https?://)?([0-9]{12})\\.dkr\\.ecr(-fips)?\\.([a-z0-9-]+)\\.amazonaws\\.com(\\.cn)?#${host}#g')")
done
case " $1 $2 " in
  *" build "*|*" pull "*)
    mapfile -d '' -t found < <(printf '%s\\0' "\${args[@]}" | NODE_OPTIONS= ${finder.map(quoted).join(" ")})
    [ "\${#found[@]}" -gt 2 ] || exit 1
    args=("\${found[@]:2}")
    if [ -n "\${found[0]}" ]; then
      "$real" "\${args[@]}" || exit
      exec "$real" tag "\${found[0]}" "\${found[1]}"
    fi ;;
esac
exec "$real" "\${args[@]}"
`;
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
