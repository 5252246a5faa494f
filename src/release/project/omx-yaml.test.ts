import { expect, test } from "vitest";
import { parseOmxYaml } from "./omx-yaml.ts";

const minimal = 'name: phage\nversion: "1.0"\n';

test("a minimal project has defaults for everything else", () => {
  expect(parseOmxYaml(minimal)).toMatchObject({ name: "phage", version: "1.0", tests: [], images: { promote: "share", extra: [] } });
});

test("an unknown key is an error that names its line, column and what is allowed", () => {
  expect(() => parseOmxYaml(`${minimal}imagse:\n  extra: []\n`)).toThrow(
    /omx\.yaml:3:1: imagse: is not known here; allowed: name, version,/,
  );
  expect(() => parseOmxYaml(`${minimal}tests:\n  - name: a\n    expects: []\n`)).toThrow(
    /omx\.yaml:5:5: tests\.0\.expects: is not known here; allowed: name, parameters, data/,
  );
});

test("a version that is not major.minor says what to write", () => {
  expect(() => parseOmxYaml("name: a\nversion: 1.0.0\n")).toThrow(/omx\.yaml:2:1: version: major\.minor in quotes/);
  expect(() => parseOmxYaml("name: a\nversion: 1.10\n")).toThrow(/version/);
});

test("text that is not YAML is located", () => {
  expect(() => parseOmxYaml("name: [a\nversion: b")).toThrow(/omx\.yaml:\d+:\d+/);
});

test("aliases of aliases of aliases are told, and not unfolded", () => {
  const each = Array.from({ length: 11 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join()}]\n`).join("");
  expect(() => parseOmxYaml(`${minimal}a0: &a0 [x]\n${each}`)).toThrow(/omx\.yaml: its aliases unfold to more than anybody writes/);
});

test("a path out of the repository is refused", () => {
  expect(() => parseOmxYaml(`${minimal}main: ../x.wdl\n`)).toThrow(/omx\.yaml:3:1: main: a path inside the repository/);
});

test("images' names are told where they stand, all at once", () => {
  const yaml = `${minimal}images:\n  extra: ["Quay.io/a/b:1", ubuntu]\n  substitute:\n    "ubuntu:latest": "ubuntu:"\n  build:\n    - target: "tool@sha256:${"a".repeat(64)}"\n    - target: tools:1\n    - { source: more, target: docker.io/library/tools:1 }\n`;
  expect(() => parseOmxYaml(yaml)).toThrow(
    /omx\.yaml:4:11: images\.extra\.0: .*write quay\.io in lower case\n.*omx\.yaml:6:5: images\.substitute\.ubuntu:latest: .*is not a tag.*\n.*omx\.yaml:8:7: images\.build\.0\.target: .*write tool$/m,
  );
  expect(() => parseOmxYaml(`${minimal}images: { build: [{ target: Tool }, { target: "" }] }\n`)).toThrow(
    /omx\.yaml:3:21: images\.build\.0\.target: "Tool" .*write tool\n.*omx\.yaml:3:39: images\.build\.1\.target: /,
  );
  const twice = `${minimal}images:\n  build:\n    - target: tools:1\n    - { source: more, target: docker.io/library/tools:1 }\n`;
  expect(() => parseOmxYaml(twice)).toThrow(
    /omx\.yaml:6:23: images\.build\.1\.target: docker\.io\/library\/tools:1 is the target of another build already/,
  );
});
