import type { Command } from "commander";
import type { VerifiedImage } from "../../release/images/lock/verify.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";
import { repositoryAt } from "../definition/named.ts";
import { s3Uri } from "../options.ts";
import { readableSize } from "../../kit/readable-size.ts";
import { identity, type ImagesFlags } from "./images-options.ts";
import type { Verification } from "../images/verify.ts";
import type { VerifiedReferrer } from "../images/verify-referrers.ts";

interface VerifyFlags extends ImagesFlags {
  readonly bundle?: string;
  readonly production?: string;
  readonly deep?: boolean;
}

/** `omx images verify` */
export function imagesVerify(group: Command, cli: Cli): void {
  const command = group
    .command("verify")
    .argument(
      "[path]",
      "a repository with containers.lock.json, or such a file (default: the current folder; with --bundle, the bundle alone)",
      repositoryAt,
    )
    .summary("prove that ECR, the bundle and production hold the same bytes")
    .description(
      "Reads every image of a lock by its digest from the cicd account's ECR and hashes its manifests and configurations anew; layers have to be there in their size, and with --deep they are read and hashed as well. A repository's lock has to have every image that its workflow uses. With --bundle the bundle has to be whole, and its record, lock and registry map have to name the same digests. With --production the same is read as production reads it (its own copies, where omx.yaml says `promote: copy`), and the released version's registry map there has to name these digests and to lead registries where the bundle's does; signatures, SBOMs and attestations of the images in the cicd account have to be there as well.",
    );
  identity(command)
    .option(
      "--bundle <s3 uri>",
      "a release's bundle: s3://omx-releases-ACCOUNT-REGION/WORKFLOW/VERSION; read by the production identity where one is given",
      s3Uri,
    )
    .option("--production <profile>", "an identity of the production account")
    .option("--deep", "read and hash every layer")
    .option(
      "--json",
      'one JSON document: {"ok", "images": [{"image", "target", "digest", "view", "manifests", "hashedBytes", "problems"}], "referrers": [{"image", "target", "digest", "subject", "type", "problems"}], "problems"}',
    )
    .addHelpText(
      "after",
      "\nExit code 1 when anything differs.\n\nExamples:\n  omx images verify . --profile cicd\n  omx images verify --bundle s3://omx-releases-444455556666-us-east-1/phage-variants/1.0.0 --profile cicd --production production --deep",
    )
    .action((path: string | undefined, flags: VerifyFlags) => act(cli, path, flags));
}

async function act(cli: Cli, path: string | undefined, flags: VerifyFlags): Promise<void> {
  const { verifyImages } = await import("../images/verify.ts");
  const verified = await verifyImages(cli, flags, {
    path,
    bundle: flags.bundle,
    production: flags.production,
    deep: flags.deep ?? false,
    isEachTold: flags.json ?? false,
  });
  printResult(cli, flags, { value: verified, lines: describe(verified, flags.deep ?? false) });
  if (!verified.ok) throw new NotDone();
}

/** What differs comes last, where it is not scrolled away. */
const describe = ({ ok, images, referrers, problems }: Verification, isDeep: boolean): readonly string[] => [
  ...[...images].sort((a, b) => Math.min(a.problems.length, 1) - Math.min(b.problems.length, 1)).map(line),
  ...referrers.map(referrerLine),
  ...problems.map((problem) => `✗ ${problem}`),
  ...(referrers.some((one) => one.problems.length > 0)
    ? ["  what was signed or attested after a release comes with the workflow's next one"]
    : []),
  ok ? proven(images.length, isDeep) : "✗ not the same bytes everywhere",
];

function proven(count: number, isDeep: boolean): string {
  if (count === 0) return "no image is locked: there is nothing to prove";
  const how = isDeep ? "" : "; of layers their size was looked at, --deep reads them";
  return `✓ ${count === 1 ? "1 image is the bytes that its digest names" : `${count} images are the bytes that their digests name`}${how}`;
}

const referrerLine = ({ image, type, digest, problems }: VerifiedReferrer): string =>
  `${problems.length === 0 ? "✓" : "✗"} production: ${type} of ${image} ${digest}${problems.length === 0 ? "" : `: ${problems.join("; ")}`}`;

const line = ({ view, image, digest, manifests, hashedBytes, problems }: VerifiedImage): string =>
  problems.length === 0
    ? `✓ ${view}: ${image} ${digest} (${manifests} manifest${manifests === 1 ? "" : "s"}, ${readableSize(hashedBytes)} hashed)`
    : `✗ ${view}: ${image}: ${problems.join("; ")}`;
