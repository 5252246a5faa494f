import { parseImageRef } from "../../../kit/image-ref.ts";
import { InvalidValue } from "../../../kit/invalid-value.ts";
import type { Diagnostic, ImageUse } from "../../inspection.ts";
import { ruleOf } from "../rules.ts";

/** Each image once, where it is written first: is its tag fixed, and is it where HealthOmics can pull it? */
export function lintImages(images: readonly ImageUse[]): readonly Diagnostic[] {
  const first = new Map(images.toReversed().map((use) => [`${use.image} ${use.file}`, use]));
  return [...first.values()].toReversed().flatMap((use) => problemsOf(use.image).map(([rule, message]) => at(use, rule, message)));
}

function problemsOf(image: string): readonly (readonly [string, string])[] {
  try {
    const { registry, tag, digest } = parseImageRef(image);
    const isPinned = digest !== undefined || (tag !== undefined && tag !== "latest");
    const isPrivate = /^\d{12}\.dkr\.ecr[.-]/.test(registry);
    return [
      ...(isPinned ? [] : [["wdl-unpinned-image", `"${image}" can be other bytes tomorrow`] as const]),
      ...(isPrivate ? [] : [["wdl-public-image", `"${image}" has to be copied to private ECR`] as const]),
    ];
  } catch (error) {
    if (error instanceof InvalidValue) return [["wdl-image-name", error.message]];
    throw error;
  }
}

function at({ file, line }: ImageUse, rule: string, message: string): Diagnostic {
  return { rule, severity: ruleOf(rule).severity, file, line, column: 1, message };
}
