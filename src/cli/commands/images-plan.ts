import type { Command } from "commander";
import { type Cli, NotDone, printResult, UsageError } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";
import type { PlannedImage, Planning } from "../images/plan.ts";
import { onePlatform } from "../options.ts";
import { readableSize } from "../../kit/readable-size.ts";
import { counted, identity, type ImagesFlags, namedImages, pinned, upstreams as upstreamOption } from "./images-options.ts";

interface PlanFlags extends ImagesFlags {
  readonly manifest?: string;
  readonly project?: string;
  readonly platform: string;
}

/** `omx images plan` */
export function imagesPlan(group: Command, cli: Cli): void {
  const command = group
    .command("plan")
    .argument("[images...]", "as a definition writes them")
    .summary("what would be staged, from where to where; nothing moves")
    .description(
      "Says for each image what `omx images pull` would do: PULL (it is not in ECR), MOVED (its tag means something else upstream by now), SKIP (the same bytes are there), FAILED with a reason; of an image that is built, BUILD with the reason, or SKIP. Bytes are those that the image's own repository lacks, a layer that several images share counted once; an image that is written in several ways is listed once; ECR may mount some of them from its other repositories. Manifests are read, no layer is.",
    )
    .option("--manifest <file>", 'the puller\'s input: {"manifest": ["image", …]}')
    .option("--project <path>", "a workflow's repository: the images of its definition and omx.yaml, builds included", repositoryAt);
  upstreamOption(identity(command))
    .option("--platform <os/arch>", "one platform out of images that have several, as in linux/amd64; or all", onePlatform, "all")
    .option(
      "--json",
      'one JSON document: {"images": [{"source", "also", "target", "status", "digest", "present", "bytes", "missingBytes", "reason"}], "missingBytes"}',
    )
    .addHelpText(
      "after",
      "\nExit code 1 when an image can't be staged.\n\nExamples:\n  omx images plan quay.io/biocontainers/samtools:1.21--h50ea8bc_0 --profile cicd\n  omx images plan --project . --profile cicd",
    )
    .action((images: readonly string[], flags: PlanFlags) => act(cli, images, flags));
}

async function act(cli: Cli, named: readonly string[], flags: PlanFlags): Promise<void> {
  const { images } = namedImages(named, flags.manifest);
  if (images.length === 0 && flags.manifest === undefined && !flags.project)
    throw new UsageError("name images, a file with --manifest, or a repository with --project");
  const { planStaging } = await import("../images/plan.ts");
  const planned = await planStaging(cli, flags, {
    images,
    upstreams: flags.upstream ?? {},
    namespaces: flags.namespace ?? {},
    platform: flags.platform,
    ...(flags.project && { project: flags.project }),
  });
  printResult(cli, flags, { value: planned, lines: describe(planned) });
  if (planned.images.some(({ status }) => status === "FAILED")) throw new NotDone();
}

const describe = ({ images, missingBytes }: Planning): readonly string[] => [
  ...images.map(line),
  `${counted(images.length)}, ${readableSize(missingBytes)} to move`,
];

function line({ status, source: named, also = [], target, digest, present, bytes, missingBytes, reason }: PlannedImage): string {
  const source = also.length === 0 ? named : `${named} (also written ${also.join(", ")})`;
  if (status === "FAILED") return `FAILED ${source}: ${reason}`;
  if (status === "BUILD") return `BUILD  ${source} → ${target}: ${reason}`;
  if (status === "SKIP") return `SKIP   ${source} → ${pinned(target, digest)}`;
  return `${status.padEnd(6)} ${source} → ${pinned(target, digest)} (${readableSize(missingBytes ?? 0)} of ${readableSize(bytes ?? 0)}${present ? `; now ${present}` : ""}${reason ? `; ${reason}` : ""})`;
}
