import { expect, test } from "vitest";
import { InvalidValue } from "../kit/invalid-value.ts";
import type { Cli } from "./cli.ts";
import { explain } from "./run.ts";

/** What a person reads of an error. */
function told(error: Error): { readonly code: number; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const code = explain({ say: (line: string) => void lines.push(line) } as Cli, error);
  return { code, lines };
}

test("a value that is none is told in its own words, without a name of our code", () => {
  expect(told(new InvalidValue("image", "A", "write a"))).toEqual({ code: 1, lines: ['✗ "A" is not a valid image: write a'] });
});

test("an error of AWS is told with the name that people look for, and what to do", () => {
  const { code, lines } = told(Object.assign(new Error("no"), { name: "AccessDeniedException", $fault: "client" }));
  expect(code).toBe(1);
  expect(lines).toEqual(["✗ AccessDeniedException: no", expect.stringContaining("--profile")]);
});

test("a mistake of ours is told with its stack", () => {
  expect(told(new TypeError("x is not a function")).lines.join("\n")).toMatch(/TypeError: x is not a function\n\s+at /);
});
