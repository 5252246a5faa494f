import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { bundleHandlers } from "./bundle.ts";

const root = join(import.meta.dirname, "../..");
const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "omx-bundle-"));
  folders.push(made);
  return made;
};
afterEach(() => folders.splice(0).forEach((each) => rmSync(each, { recursive: true, force: true })));

/** Every file below a folder, by its path there. */
function contents(of: string): Readonly<Record<string, string>> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ parentPath, name }) => [join(parentPath, name).slice(of.length), readFileSync(join(parentPath, name), "utf8")]));
}

test("the same sources are the same bundle wherever it is made: `cdk diff` is clean, and two may synthesize at once", () => {
  const [one, another] = [folder(), folder()];
  bundleHandlers(root, one);
  bundleHandlers(root, another);
  expect(Object.keys(contents(one))).toContain("/toolkit/omx-ci.mjs");
  expect(contents(another)).toEqual(contents(one));
});
