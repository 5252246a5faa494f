import type { Diagnostic, Reading } from "../inspection.ts";
import type { Document } from "./documents.ts";
import { mapOf, member, type Node, stringOf, textOfScalar } from "./nodes.ts";
import { problem } from "./problems.ts";
import type { Process } from "./process.ts";

const SERVED: ReadonlySet<string> = new Set(["v1.0", "v1.1", "v1.2"]);

/** The version of CWL as the document writes it, without a namespace: `v1.2`. */
export function languageVersion({ root }: Document): string | undefined {
  return textOfScalar(member(root, "cwlVersion"))?.replace(/^cwl:|^https?:\/\/[^#]*#/, "");
}

/** What is wrong with the version of CWL, if anything. */
export function versionProblem({ node }: Process, document: Document): Diagnostic | undefined {
  const version = languageVersion(document);
  if (version !== undefined && SERVED.has(version)) return undefined;
  const at = (member(document.root, "cwlVersion") ?? document.root ?? node).at;
  if (version === undefined) return problem("cwl-version", at, "the document does not say its CWL version: write `cwlVersion: v1.2`");
  return problem("cwl-version", at, `HealthOmics serves CWL 1.0, 1.1 and 1.2, not "${version}"`);
}

const SCHEMA_ORG = /^https?:\/\/schema\.org\/?$/;
const TERMS = ["softwareVersion", "version"] as const;

/** The version a definition gives itself with schema.org's terms (`s:softwareVersion` or `s:version`), and where. */
export function definitionVersion({ node }: Process, { root }: Document): Pick<Reading, "version" | "versionAt"> {
  const prefixes = [...namespacesOf(root), ...namespacesOf(node)].map((prefix) => `${prefix}:`);
  const heads = [...prefixes, "http://schema.org/", "https://schema.org/"];
  const keys = TERMS.flatMap((term) => heads.map((head) => head + term));
  const written = [node, root].flatMap((each) => keys.map((key) => member(each, key)));
  const version = written.find((each) => textOfScalar(each) !== undefined);
  const text = textOfScalar(version);
  return version && text !== undefined ? { version: text, versionAt: version.at } : {};
}

const namespacesOf = (node: Node | undefined): readonly string[] =>
  [...(mapOf(member(node, "$namespaces"))?.entries ?? [])]
    .filter(([, { value }]) => SCHEMA_ORG.test(stringOf(value) ?? ""))
    .map(([prefix]) => prefix);
