import { z } from "zod";
import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { checked } from "./checked.ts";

/** The name of an image in a registry. */
export const Image = z.string().superRefine(checked(parseImageRef));

/** An image that is built: its name in ECR, a tag at its end, and no digest, which nobody knows before. */
export const BuildTarget = z.string().superRefine(
  checked((text) => {
    if (parseImageRef(text).digest !== undefined)
      throw new Error(`nobody knows the digest of an image before it is built; write ${text.replace(/@.*$/, "")}`);
  }),
);

/** Each target once: by whatever spelling, it is one image. */
export function eachTargetOnce(builds: readonly { readonly target: string }[], context: z.core.$RefinementCtx): void {
  const targets = builds.map(({ target }) => spelledOut(target));
  for (const [index, target] of targets.entries())
    if (targets.indexOf(target) < index)
      context.addIssue({
        code: "custom",
        path: [index, "target"],
        message: `${builds[index]?.target} is the target of another build already; give each a target of its own`,
      });
}

/** What is no name is told elsewhere. */
function spelledOut(target: string): string {
  try {
    return formatImageRef(parseImageRef(target));
  } catch {
    return target;
  }
}
