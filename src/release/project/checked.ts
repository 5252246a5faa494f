import type { z } from "zod";

/** A check of a text by a parser, whose error is the sentence that a person reads. */
export const checked =
  (check: (text: string) => unknown) =>
  (text: string, context: z.core.$RefinementCtx): void => {
    try {
      check(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  };
