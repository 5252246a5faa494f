import type { Command } from "commander";
import { type Cli, NotDone, printResult, UsageError } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";
import { count, onePlatform } from "../options.ts";
import type { RepositoryFlags } from "../images/new-repositories.ts";
import type { PulledImage, Pulling } from "../images/pull.ts";
import { readableSize } from "../../kit/readable-size.ts";
import {
  counted,
  identity,
  type ImagesFlags,
  namedImages,
  pinned,
  newRepositories,
  upstreams as upstreamOption,
} from "./images-options.ts";

interface PullFlags extends ImagesFlags, RepositoryFlags {
  readonly manifest?: string;
  readonly project?: string;
  readonly platform: string;
  readonly concurrency?: number;
  readonly copy?: boolean;
  readonly fresh?: boolean;
  readonly referrers?: boolean;
}

/** `omx images pull` */
export function imagesPull(group: Command, cli: Cli): void {
  const command = group
    .command("pull")
    .argument("[images...]", "as a definition writes them: quay.io/biocontainers/bwa:0.7.18")
    .summary("bring images into the account's ECR")
    .description(
      "Brings images into the private ECR of the profile's account, as the omx-container-puller of a release does: repositories are made, HealthOmics may read them, what is there is not moved again. One failed image leaves the others alone. Images that a pull-through cache rule of the account covers are brought by ECR itself, and nothing of them passes here; what the cache refuses, and all others, are copied. A tag that has moved upstream is brought as it is there now, also where the cache, which compares once a day, does not know it yet. Upstream registries are asked as `docker login` left it, credential helpers included; where --upstream names a mirror, by the login of the mirror.",
    )
    .option("--manifest <file>", 'the state machine\'s input: {"manifest": ["image", …]}, with "referrers": true as --referrers')
    .option(
      "--project <path>",
      "a workflow's repository: the images that its definition and omx.yaml pull, each by its digest where containers.lock.json has one; what it builds is left to `omx images build`",
      repositoryAt,
    );
  newRepositories(upstreamOption(identity(command)))
    .option("--platform <os/arch>", "one platform out of images that have several, as in linux/amd64; or all", onePlatform, "all")
    .option("--concurrency <n>", "images at a time", count)
    .option("--copy", "copy images that ECR's pull-through cache could bring, too")
    .option(
      "--fresh",
      "of cached images, ask upstream what their tags mean although that was done less than five minutes ago, and look at all their layers",
    )
    .option("--referrers", "bring what refers to an image, too: signatures, SBOMs, attestations")
    .option(
      "--json",
      'one JSON document: {"images": [{"source", "target", "digest", "status", "bytesMoved", "bytesSaved", "requests", "seconds", "reason"}], "bytesMoved", "requests", "seconds"}',
    )
    .addHelpText(
      "after",
      "\nExit code 1 when an image failed.\n\nExamples:\n  omx images pull quay.io/biocontainers/samtools:1.21--h50ea8bc_0 --profile cicd\n  omx images pull --project . --profile cicd",
    )
    .action((images: readonly string[], flags: PullFlags) => pull(cli, images, flags));
}

async function pull(cli: Cli, named: readonly string[], flags: PullFlags): Promise<void> {
  const { images: listed, referrers: asked } = namedImages(named, flags.manifest);
  if (listed.length === 0 && flags.manifest === undefined && flags.project === undefined)
    throw new UsageError("name images, a file with --manifest, or a repository with --project");
  const images = flags.project === undefined ? listed : [...new Set([...listed, ...(await pulledBy(cli, flags.project))])];
  const { pullImages } = await import("../images/pull.ts");
  const {
    concurrency,
    platform,
    upstream: upstreams = {},
    namespace: namespaces = {},
    copy = false,
    fresh = false,
    referrers = asked,
  } = flags;
  const pulled = await pullImages(cli, flags, {
    images,
    upstreams,
    namespaces,
    platform,
    copy,
    fresh,
    referrers,
    repositories: flags,
    isEachTold: flags.json ?? false,
    ...(concurrency && { concurrency }),
  });
  printResult(cli, flags, { value: pulled, lines: describe(pulled) });
  if (pulled.images.some(({ status }) => status === "FAILED")) throw new NotDone();
}

/** What a repository pulls. What it builds as well is told, so that nobody waits for it. */
async function pulledBy(cli: Cli, path: string): Promise<readonly string[]> {
  const { projectPlan } = await import("../images/project-plan.ts");
  const { pulls, builds } = projectPlan(path);
  if (builds.length > 0) cli.say(`left to \`omx images build\`: ${builds.map(({ target }) => target).join(", ")}`);
  return pulls;
}

/** What failed comes last, where it is not scrolled away. */
const describe = ({ images, bytesMoved, requests, seconds }: Pulling): readonly string[] => {
  const failed = images.filter(({ status }) => status === "FAILED");
  return [
    ...images.filter(({ status }) => status !== "FAILED").map(line),
    ...failed.map(line),
    `${counted(images.length)}${failed.length > 0 ? `, ${failed.length} failed` : ""}, ${readableSize(bytesMoved)} moved, ${requests} ${requests === 1 ? "request" : "requests"}, ${seconds.toFixed(1)} s`,
  ];
};

const line = ({ source, target, digest, status, bytesMoved, reason }: PulledImage): string =>
  status === "FAILED"
    ? `FAILED   ${source}: ${reason}`
    : `${status.padEnd(8)} ${source} → ${pinned(target, digest)} (${readableSize(bytesMoved)}; ${reason})`;
