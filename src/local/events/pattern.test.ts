import { describe, expect, test } from "vitest";
import { compilePattern, InvalidPattern } from "./pattern.ts";

const fits = (pattern: object, event: object) => compilePattern(JSON.stringify(pattern))(event);

/** Operators and their edges: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
describe("event patterns", () => {
  test.each<[object, object, boolean]>([
    [{ source: ["aws.ecr"] }, { source: "aws.ecr" }, true],
    [{ source: ["aws.ecr", "aws.s3"] }, { source: "aws.s3" }, true],
    [{ source: ["aws.ecr"] }, {}, false],
    [{ source: ["aws.ecr"], "detail-type": ["x"] }, { source: "aws.ecr", "detail-type": "y" }, false],
    [{ detail: { state: ["running"] } }, { detail: { state: "running", more: 1 } }, true],
    [{ detail: { state: ["running"] } }, { detail: null }, false],
    [{ resources: ["a"] }, { resources: ["b", "a"] }, true],
    [{ a: [null] }, { a: null }, true],
    [{ a: [null] }, {}, false],
    [{ a: [""] }, { a: "" }, true],
    [{ a: [5] }, { a: 5.0 }, true],
    [{ a: [5] }, { a: "5" }, false],
    [{ a: [true] }, { a: true }, true],
    [{ a: [{ prefix: "im" }] }, { a: "image" }, true],
    [{ a: [{ prefix: { "equals-ignore-case": "IM" } }] }, { a: "image" }, true],
    [{ a: [{ suffix: ".gz" }] }, { a: "x.gz" }, true],
    [{ a: [{ "equals-ignore-case": "ABC" }] }, { a: "aBc" }, true],
    [{ a: [{ wildcard: "*.wdl" }] }, { a: "main.wdl" }, true],
    [{ a: [{ wildcard: "dir/*/x" }] }, { a: "dir/y/z" }, false],
    [{ a: [{ wildcard: String.raw`a\*b` }] }, { a: "a*b" }, true],
    [{ a: [{ wildcard: "a.b" }] }, { a: "axb" }, false],
    [{ a: [{ wildcard: "ab*ba" }] }, { a: "aba" }, false],
    [{ a: [{ wildcard: "*ab*c" }] }, { a: "abxabc" }, true],
    [{ a: [{ wildcard: String.raw`a\.b\\*` }] }, { a: String.raw`a\.b\c` }, true],
    [{ a: [{ "anything-but": "x" }] }, { a: "y" }, true],
    [{ a: [{ "anything-but": ["x", "y"] }] }, { a: "y" }, false],
    [{ a: [{ "anything-but": "x" }] }, {}, false],
    [{ a: [{ "anything-but": { prefix: "init" } }] }, { a: "initial" }, false],
    [{ a: [{ "anything-but": { suffix: [".tmp", ".bak"] } }] }, { a: "a.bak" }, false],
    [{ a: [{ "anything-but": { wildcard: "*/lib/*" } }] }, { a: "x/bin/y" }, true],
    [{ a: [{ numeric: [">", 0, "<=", 5] }] }, { a: 5 }, true],
    [{ a: [{ numeric: [">", 0, "<=", 5] }] }, { a: 0 }, false],
    [{ a: [{ numeric: ["=", 5] }] }, { a: "5" }, false],
    [{ a: [{ cidr: "10.0.0.0/24" }] }, { a: "10.0.0.77" }, true],
    [{ a: [{ cidr: "10.0.0.0/24" }] }, { a: "10.0.1.1" }, false],
    [{ a: [{ cidr: "2001:db8::/32" }] }, { a: "2001:db8::1" }, true],
    [{ detail: { errorCode: [{ exists: false }] } }, { detail: { eventName: "CreateRepository" } }, true],
    [{ detail: { errorCode: [{ exists: false }] } }, { detail: { errorCode: "x" } }, false],
    [{ detail: { errorCode: [{ exists: true }] } }, { detail: { errorCode: null } }, true],
    [{ detail: { a: [{ exists: true }] } }, { detail: { a: { b: 1 } } }, false],
    [{ detail: { a: [{ exists: false }, "x"] } }, { detail: { a: "x" } }, true],
    [{ $or: [{ a: [1] }, { b: [2] }] }, { b: 2 }, true],
    [{ $or: [{ a: [1] }, { b: [2] }], c: [3] }, { b: 2 }, false],
    [
      { detail: { tags: { key: ["createdBy"], value: ["omx-ecr-helper"] } } },
      {
        detail: {
          tags: [
            { key: "a", value: "b" },
            { key: "createdBy", value: "omx-ecr-helper" },
          ],
        },
      },
      true,
    ],
    [
      { detail: { tags: { key: ["a"], value: ["c"] } } },
      {
        detail: {
          tags: [
            { key: "a", value: "b" },
            { key: "x", value: "c" },
          ],
        },
      },
      false,
    ],
  ])("%j and %j: %s", (pattern, event, expected) => expect(fits(pattern, event)).toBe(expected));

  test.each([
    ["{", "not JSON"],
    ["[]", "not an object"],
    ["{}", "Empty objects"],
    ['{"a": "x"}', '"a" must be an object or an array'],
    ['{"a": {"b": []}}', "Empty arrays are not allowed at a.b"],
    ['{"a": [{"glob": "x"}]}', "Unrecognized match type glob at a"],
    ['{"a": [{"constructor": "x"}]}', "Unrecognized match type constructor at a"],
    ['{"a": [{"prefix": "x", "suffix": "y"}]}', "Only one key"],
    ['{"a": [{"prefix": 1}]}', "must be a string"],
    ['{"a": [{"numeric": ["~", 1]}]}', "numeric range operator"],
    ['{"a": [{"cidr": "10.0.0/8"}]}', "Malformed CIDR"],
    ['{"a": [{"exists": "no"}]}', "true or false"],
    ['{"a": [{"wildcard": "a**b"}]}', "Consecutive wildcard"],
    ['{"a": [{"anything-but": {"numeric": 1}}]}', "Unsupported anything-but"],
    ['{"$or": [{"a": [1]}]}', "at least two"],
  ])("%s is refused", (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidPattern);
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});
