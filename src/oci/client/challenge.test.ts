import { expect, test } from "vitest";
import { readChallenges } from "./challenge.ts";

test.each([
  [
    'Bearer realm="https://a/t",service="s",scope="repository:a:pull"',
    [{ scheme: "bearer", parameters: { realm: "https://a/t", service: "s", scope: "repository:a:pull" } }],
  ],
  [
    'Basic realm="a, \\"b\\"", Bearer realm=x',
    [
      { scheme: "basic", parameters: { realm: 'a, "b"' } },
      { scheme: "bearer", parameters: { realm: "x" } },
    ],
  ],
  [
    "Negotiate, Basic realm=x",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
    ],
  ],
  [
    "Negotiate YII/abc+d==, Bearer realm=https://a/t,service=s",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "bearer", parameters: { realm: "https://a/t", service: "s" } },
    ],
  ],
  ["", []],
])("challenge %s", (header, challenges) => expect(readChallenges(header)).toEqual(challenges));
