import { expect, test } from "vitest";
import { parseOmxYaml } from "./omx-yaml.ts";

const minimal = 'name: phage\nversion: "1.0"\n';

test("a minimal project has defaults for everything else", () => {
  expect(parseOmxYaml(minimal)).toMatchObject({ name: "phage", version: "1.0", tests: [], images: { promote: "share", extra: [] } });
});

test("an unknown key is an error that names its line, column and what is allowed", () => {
  expect(() => parseOmxYaml(`${minimal}imagse:\n  extra: []\n`)).toThrow(/omx\.yaml:3:1: imagse: is not known here; allowed: name, version,/);
  expect(() => parseOmxYaml(`${minimal}tests:\n  - name: a\n    expects: []\n`)).toThrow(/omx\.yaml:5:5: tests\.0\.expects: is not known here; allowed: name, parameters, data/);
});

test("a version that is not major.minor says what to write", () => {
  expect(() => parseOmxYaml("name: a\nversion: 1.0.0\n")).toThrow(/omx\.yaml:2:1: version: major\.minor in quotes/);
  expect(() => parseOmxYaml("name: a\nversion: 1.10\n")).toThrow(/version/);
});

test("text that is not YAML is located", () => {
  expect(() => parseOmxYaml("name: [a\nversion: b")).toThrow(/omx\.yaml:\d+:\d+/);
});

test("a path out of the repository is refused", () => {
  expect(() => parseOmxYaml(`${minimal}main: ../x.wdl\n`)).toThrow(/omx\.yaml:3:1: main: a path inside the repository/);
});
