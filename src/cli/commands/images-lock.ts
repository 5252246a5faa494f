import type { Command } from "commander";
import type { Relocked } from "../../release/images/lock/relock.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";
import type { Locking } from "../images/lock.ts";
import { onePlatform } from "../options.ts";
import { identity, type ImagesFlags, upstreams as upstreamOption } from "./images-options.ts";

interface LockFlags extends ImagesFlags {
  readonly check?: boolean;
  readonly platform?: string;
}

/** `omx images lock` */
export function imagesLock(group: Command, cli: Cli): void {
  const command = group
    .command("lock")
    .argument("[path]", "the workflow's repository", ".")
    .summary("write containers.lock.json, and say which tags moved upstream")
    .description(
      "Writes containers.lock.json beside omx.yaml: for each image of the workflow its source, its digest, its place in the account's ECR and the platform (`all`, or the one that was taken out of several). With that file in the repository a release pulls these digests, whatever the tags mean upstream by then. An image is locked to what its registry offers now, once that is in ECR; each image is SAME, NEW, MOVED (its tag means other bytes than before), NOT_STAGED (not in ECR: `omx images pull` or `omx images build` brings it), REMOVED (nothing uses it any more) or FAILED.",
    );
  upstreamOption(identity(command))
    .option("--check", "write nothing; exit code 1 unless every image is SAME")
    .option(
      "--platform <os/arch>",
      "one platform out of images that have several, as in linux/amd64; or all (default: that for which an image is locked already, all of a new one)",
      onePlatform,
    )
    .option("--json", 'one JSON document: {"file", "written", "images": [{"image", "source", "status", "digest", "before", "reason"}]}')
    .addHelpText(
      "after",
      "\nExit code 1 when an image could not be locked; what was locked before stays in the file.\n\nExamples:\n  omx images lock . --profile cicd\n  omx images lock . --check --profile cicd",
    )
    .action((path: string, flags: LockFlags) => act(cli, path, flags));
}

async function act(cli: Cli, path: string, flags: LockFlags): Promise<void> {
  const { lockProject } = await import("../images/lock.ts");
  const locked = await lockProject(cli, flags, {
    path,
    isCheck: flags.check ?? false,
    upstreams: flags.upstream ?? {},
    namespaces: flags.namespace ?? {},
    platform: flags.platform,
  });
  printResult(cli, flags, { value: locked, lines: [...locked.images.map(line), `${locked.file} ${fate(locked, flags)}`] });
  const isGood = ({ status }: Relocked): boolean => (flags.check ? status === "SAME" : status !== "NOT_STAGED" && status !== "FAILED");
  if (!locked.images.every(isGood)) throw new NotDone();
}

function fate({ written, images }: Locking, { check }: LockFlags): string {
  if (written) return "is written";
  if (check) return "was compared, not written";
  const isNothingLocked =
    images.length > 0 && images.every(({ status, before }) => before === undefined && (status === "FAILED" || status === "NOT_STAGED"));
  return isNothingLocked ? "is not written: none of its images can be locked yet" : "is as it was";
}

function line({ status, image, digest, before, reason }: Relocked): string {
  const change = status === "MOVED" ? `${before} → ${digest}` : (digest ?? before ?? "");
  return `${status.padEnd(10)} ${image}${change === "" ? "" : ` ${change}`}${reason ? `: ${reason}` : ""}`;
}
