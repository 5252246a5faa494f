import { describe, expect, test } from "vitest";
import type { Json } from "./json.ts";
import { only, outputOf, runMachine } from "./testing/machine.ts";

const call = async (text: string, input: Json = {}) =>
  ((await outputOf({ Type: "Pass", Parameters: { "v.$": text } }, input)) as { v: Json }).v;

/** Examples of https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html and their edges. */
describe("intrinsic functions", () => {
  test.each<[string, Json, Json]>([
    ["States.Array($.id)", { id: 123456 }, [123456]],
    ["States.Array()", {}, []],
    ["States.ArrayPartition($.a, 4)", { a: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, [[1, 2, 3, 4], [5, 6, 7, 8], [9]]],
    ["States.ArrayContains($.a, $.x)", { a: [1, { b: 2, c: 3 }], x: { c: 3, b: 2 } }, true],
    ["States.ArrayContains($.a, 9)", { a: [1] }, false],
    ["States.ArrayRange(1, 9, 2)", {}, [1, 3, 5, 7, 9]],
    ["States.ArrayRange(5, 1, -2)", {}, [5, 3, 1]],
    ["States.ArrayGetItem($.a, $.i)", { a: [1, 2, 3], i: 2 }, 3],
    ["States.ArrayLength($.a)", { a: [1, 2] }, 2],
    ["States.ArrayUnique($.a)", { a: [1, 2, 2, { a: 1 }, { a: 1 }] }, [1, 2, { a: 1 }]],
    ["States.Base64Encode($.t)", { t: "Data to encode" }, "RGF0YSB0byBlbmNvZGU="],
    ["States.Base64Decode($.t)", { t: "RGVjb2RlZCBkYXRh" }, "Decoded data"],
    ["States.Hash($.d, $.a)", { d: "input data", a: "SHA-1" }, "aaff4a450a104cd177d28d18d74485e8cae074b7"],
    ["States.Hash('', 'MD5')", {}, "d41d8cd98f00b204e9800998ecf8427e"],
    ["States.JsonMerge($.a, $.b, false)", { a: { x: { y: 1 }, z: 1 }, b: { x: { w: 2 } } }, { x: { w: 2 }, z: 1 }],
    ["States.StringToJson($.t)", { t: '{"foo": [1, null]}' }, { foo: [1, null] }],
    ["States.JsonToString($.v)", { v: { foo: 'b"r', n: [1] } }, '{"foo":"b\\"r","n":[1]}'],
    ["States.MathAdd($.a, -1)", { a: 111 }, 110],
    ["States.MathRandom(1, 2)", {}, 1],
    ["States.StringSplit($.t, $.s)", { t: "1,2,3,4,5", s: "," }, ["1", "2", "3", "4", "5"]],
    ["States.StringSplit('This.is+a,test=string', '.+,=')", {}, ["This", "is", "a", "test", "string"]],
    ["States.UUID()", {}, expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)],
    ["States.Format('Hello, my name is {}.', $.name)", { name: "Foo" }, "Hello, my name is Foo."],
    ["States.Format('{} {} {}', $.o, true, null)", { o: { a: [1] } }, '{"a":[1]} true null'],
    [String.raw`States.Format('\{\} it\'s \\ {}', 1)`, {}, String.raw`{} it's \ 1`],
    ["States.Format($.t, 'x')", { t: "a {}" }, "a x"],
    ["States.Array(States.Format('{}', $['a b'][0]), States.Array(1, 'two'))", { "a b": [5] }, ["5", [1, "two"]]],
    ["States.ArrayGetItem(States.StringSplit($.image, '/'), 0)", { image: "quay.io/org/name" }, "quay.io"],
    ["States.Array($$.Execution.Name)", {}, ["e"]],
    ["States.Array( 1 , -2.5 , 'a, (b)' )", {}, [1, -2.5, "a, (b)"]],
    ["States.ArrayLength($.a[?(@.n == 'x,y)')])", { a: [{ n: "x,y)" }, {}] }, 1],
  ])("%s of %j", async (text, input, output) => expect(await call(text, input)).toEqual(output));

  test.each([
    ["States.ArrayRange(1, 5000, 1)", "at most 1000"],
    ["States.ArrayRange(1, 5, 0)", "step"],
    ["States.ArrayGetItem($.a, 9)", "none at 9"],
    ["States.ArrayLength('text')", "needs an array"],
    ["States.StringToJson('{')", "States.StringToJson"],
    ["States.Base64Decode('?')", "not Base64"],
    ["States.Hash('a', 'SHA-3')", "hash algorithm"],
    ["States.JsonMerge($, $, true)", "shallowly"],
    ["States.MathRandom(5, 5)", "greater"],
    ["States.Format('{} {}', 1)", "2 places and 1 values"],
    ["States.Nothing(1)", "not an intrinsic function"],
    ["States.Array('open)", "closing quote"],
    ["States.Array(1) 2", "nothing more"],
    ["Hello(1)", "a function such as States.Format"],
  ])("%s fails with States.IntrinsicFailure", async (text, cause) => {
    const { result } = await runMachine(only({ Type: "Pass", Parameters: { "v.$": text } }), { input: { a: [1] } });
    expect(result).toMatchObject({ status: "FAILED", error: "States.IntrinsicFailure", cause: expect.stringContaining(cause) });
  });

  test("a seed makes MathRandom the same each time", async () => {
    expect(await call("States.MathRandom(1, 1000, 7)")).toBe(await call("States.MathRandom(1, 1000, 7)"));
  });
});
