import type { Command } from "commander";
import type { StagedImage } from "../../release/images/inventory.ts";
import { type Cli, printResult, table } from "../cli.ts";
import { readableSize } from "../../kit/readable-size.ts";
import { counted, identity, type ImagesFlags } from "./images-options.ts";

interface ListFlags extends ImagesFlags {
  readonly untagged?: boolean;
}

/** `omx images list` */
export function imagesList(group: Command, cli: Cli): void {
  const command = group
    .command("list")
    .summary("what omx staged in the account's ECR")
    .description(
      "Lists the images in repositories that omx made (tag createdBy=omx-ecr-helper): tags, size, when they were pushed, and where they come from: the repository's tag omx:source of pulled images, the label org.opencontainers.image.source of built ones.",
    );
  identity(command)
    .option("--untagged", "also images without a tag: parts of multi-platform images, and what moved tags left behind")
    .option(
      "--json",
      'one JSON document: {"images": [{"repository", "digest", "tags", "sizeBytes", "pushedAt", "source", "sourceHash", "commit"}], "sizeBytes"}',
    )
    .addHelpText("after", "\nExample:\n  omx images list --profile cicd")
    .action((flags: ListFlags) => act(cli, flags));
}

async function act(cli: Cli, flags: ListFlags): Promise<void> {
  const { listImages } = await import("../images/list.ts");
  const images = await listImages(cli, flags, flags.untagged ?? false);
  const sizeBytes = images.reduce((sum, image) => sum + image.sizeBytes, 0);
  printResult(cli, flags, {
    value: { images, sizeBytes },
    lines: [...table(images.map(row)), `${counted(images.length)}, ${readableSize(sizeBytes)}`],
  });
}

const row = ({ repository, tags, digest, sizeBytes, pushedAt, source, sourceHash }: StagedImage): readonly string[] => [
  `${repository}:${tags.join(",") || "(no tag)"}`,
  digest.slice(0, 19),
  readableSize(sizeBytes),
  pushedAt.slice(0, 16).replace("T", " "),
  source ?? (sourceHash ? `built from ${sourceHash.slice(0, 12)}` : ""),
];
