import { type CollectionTag, isSeq, type ScalarTag, type Tags, YAMLMap, YAMLSeq } from "yaml";

/** The functions that YAML templates may write as tags: `!Sub text` for `Fn::Sub: text`. */
const FUNCTIONS = [
  "And",
  "Base64",
  "Cidr",
  "Contains",
  "EachMemberEquals",
  "EachMemberIn",
  "Equals",
  "FindInMap",
  "GetAtt",
  "GetAZs",
  "If",
  "ImportValue",
  "Join",
  "Length",
  "Not",
  "Or",
  "RefAll",
  "Select",
  "Split",
  "Sub",
  "ToJsonString",
  "Transform",
  "ValueOf",
  "ValueOfAll",
] as const;

const longName = (tag: string): string => (tag === "Ref" || tag === "Condition" ? tag : `Fn::${tag}`);

/**
 * Tags that turn each short form into its long form while the document is read.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export const shortForms: Tags = ["Ref", "Condition", ...FUNCTIONS].flatMap((tag) => [
  scalar(tag),
  collection(tag, "seq"),
  collection(tag, "map"),
]);

function scalar(tag: string): ScalarTag {
  return { tag: `!${tag}`, resolve: (text) => ({ [longName(tag)]: tag === "GetAtt" ? splitAttribute(text) : text }) };
}

// "Logical.Attribute.Nested": the attribute is everything after the first dot.
function splitAttribute(text: string): readonly string[] | string {
  const dot = text.indexOf(".");
  return dot < 0 ? text : [text.slice(0, dot), text.slice(dot + 1)];
}

function collection(tag: string, kind: "seq" | "map"): CollectionTag {
  return { tag: `!${tag}`, collection: kind, resolve: (node) => wrapped(tag, node) };
}

function wrapped(tag: string, node: YAMLMap.Parsed | YAMLSeq.Parsed): YAMLMap {
  const outer = new YAMLMap();
  const inner = isSeq(node) ? new YAMLSeq() : new YAMLMap();
  inner.items.push(...(node.items as never[]));
  outer.set(longName(tag), inner);
  return outer;
}
