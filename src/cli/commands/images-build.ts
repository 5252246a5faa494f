import type { Command } from "commander";
import { type Cli, NotDone, printResult } from "../cli.ts";
import type { RepositoryFlags } from "../images/new-repositories.ts";
import type { BuiltOutcome } from "../images/build.ts";
import { pair, platforms, upstream } from "../options.ts";
import { readableSize } from "../../kit/readable-size.ts";
import { identity, type ImagesFlags, newRepositories } from "./images-options.ts";

interface BuildFlags extends ImagesFlags, RepositoryFlags {
  readonly dockerfile: string;
  readonly buildArg?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: readonly string[];
  readonly force?: boolean;
  readonly label?: string;
  readonly commit?: string;
}

/** `omx images build` */
export function imagesBuild(group: Command, cli: Cli): void {
  const command = group
    .command("build")
    .argument("<source>", "a folder, or s3://… of a prefix, a .zip or a .tar.gz")
    .argument("<image>", "its name in ECR: tools/aligner:1.0")
    .summary("build one image into the account's ECR")
    .description(
      "Builds an image into the private ECR of the profile's account, as the omx-container-builder of a release does. FROM, COPY, ADD of files, ARG, ENV, LABEL, WORKDIR, USER, ENTRYPOINT, CMD and EXPOSE need no container engine, and the same source is the same digest everywhere; a RUN is built by Docker, Podman or Buildah, whichever answers first. SKIPPED when the image under this tag was built from the same files, Dockerfile, arguments, stage and platforms, on the same bases; one whose base has moved upstream is built again, and the reason says so.",
    )
    .option("--dockerfile <file>", "inside the source", "Dockerfile")
    .option("--build-arg <name=value>", "for ARG; repeatable", pair)
    .option("--target <stage>", "the stage to build (default: the last one)")
    .option(
      "--platform <os/arch>",
      "repeatable; several make one multi-platform image, for which a RUN needs a machine that runs the programs of each, by QEMU (default: linux/amd64, where HealthOmics runs tasks)",
      platforms,
    )
    .option("--force", "build although the source is unchanged")
    .option("--label <source>", "where the source lives, for the label org.opencontainers.image.source")
    .option("--commit <id>", "its commit, for the label org.opencontainers.image.revision");
  newRepositories(identity(command))
    .option("--upstream <host=url>", "read the bases of a registry from elsewhere; repeatable", upstream)
    .option(
      "--json",
      'one JSON document: {"source", "target", "status": "BUILT|SKIPPED|FAILED", "digest", "bytes", "bytesMoved", "bytesSaved", "seconds", "engine", "reason"}',
    )
    .addHelpText(
      "after",
      "\nExit code 1 when the build failed; its last lines are told.\n\nExample:\n  omx images build tools/aligner tools/aligner:1.0 --profile cicd",
    )
    .action((source: string, image: string, flags: BuildFlags) => act(cli, { source, image }, flags));
}

async function act(cli: Cli, { source, image }: { readonly source: string; readonly image: string }, flags: BuildFlags): Promise<void> {
  const { buildOne } = await import("../images/build.ts");
  const built = await buildOne(cli, flags, {
    source,
    image,
    dockerfile: flags.dockerfile,
    args: flags.buildArg ?? {},
    force: flags.force ?? false,
    upstreams: flags.upstream ?? {},
    target: flags.target,
    platforms: flags.platform,
    label: flags.label,
    commit: flags.commit,
    repositories: flags,
  });
  printResult(cli, flags, { value: built, lines: [describe(built)] });
  if (built.status === "FAILED") throw new NotDone();
}

const describe = ({ status, source, target, digest, bytes, seconds, reason }: BuiltOutcome): string =>
  status === "FAILED"
    ? `FAILED   ${source}: ${reason}`
    : `${status.padEnd(8)} ${source} → ${target}@${digest} (${bytes === undefined ? "" : `${readableSize(bytes)}, `}${seconds.toFixed(1)} s; ${reason})`;
