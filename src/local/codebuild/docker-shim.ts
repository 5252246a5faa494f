/**
 * A `docker` for builds: ECR's canonical address becomes the one where the local registry answers, so that buildspecs
 * run unmodified; a label keeps it. Docker treats 127.0.0.1 as an insecure registry by itself, so the daemon needs no configuration.
 */
export function dockerShim({ endpoint, bin }: { readonly endpoint: string; readonly bin: string }): string {
  const host = endpoint.replace(/^http:\/\//, "");
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
exec "$real" "\${args[@]}"
`;
}
