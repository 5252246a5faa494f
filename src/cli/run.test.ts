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

test("what is not there is told by its name, not by the system call", () => {
  const failed = (syscall: string, path: string): Error =>
    Object.assign(new Error(`ENOENT: no such file or directory, ${syscall} '${path}'`), { code: "ENOENT", syscall, path });
  expect(told(failed("stat", "images.json")).lines).toEqual(["✗ images.json does not exist", "  check the path"]);
  expect(told(failed("spawn git", "git")).lines).toEqual(["✗ git was not found on PATH", expect.stringContaining("omx doctor")]);
});

test("a host nobody knows and a deployment that is not there come with what to do", () => {
  expect(told(Object.assign(new Error("getaddrinfo ENOTFOUND sts.mars.amazonaws.com"), { code: "ENOTFOUND" })).lines[1]).toContain(
    "region",
  );
  expect(
    told(Object.assign(new Error("State Machine Does Not Exist"), { name: "StateMachineDoesNotExist", $fault: "client" })).lines[1],
  ).toContain("omx deploy");
});
