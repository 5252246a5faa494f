import type { ModelOperation } from "./shape-model.ts";

/** The operation a REST request asks for, and the labels of its path, decoded. */
export interface RestMatch {
  readonly operation: ModelOperation;
  readonly labels: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly operation: ModelOperation;
  readonly method: string;
  readonly path: RegExp;
  readonly labels: readonly string[];
  /** Query members the URI template fixes: `?uploads`, `list-type=2`. */
  readonly fixed: readonly (readonly [string, string | undefined])[];
  /** Required members in query and headers, which tell operations of one URI apart. */
  readonly required: readonly { readonly kind: "query" | "header"; readonly name: string }[];
  readonly weight: number;
}

/** Finds operations by method, path, query and required headers; the most specific pattern wins. */
export function restRouter(operations: Iterable<ModelOperation>, prefix: string) {
  const patterns = [...operations].filter((operation) => operation.http).map((operation) => compile(operation, prefix));
  patterns.sort((a, b) => b.weight - a.weight);
  return (method: string, path: string, query: URLSearchParams, headers: Readonly<Record<string, string>>): RestMatch | undefined => {
    for (const pattern of patterns) {
      if (pattern.method !== method) continue;
      const matched = pattern.path.exec(path);
      if (!matched || !pattern.fixed.every(([name, value]) => fits(query, name, value))) continue;
      if (!pattern.required.every(({ kind, name }) => (kind === "query" ? query.has(name) : headers[name] !== undefined))) continue;
      const labels = Object.fromEntries(pattern.labels.map((label, index) => [label, decodeURIComponent(matched[index + 1] ?? "")]));
      return { operation: pattern.operation, labels };
    }
    return undefined;
  };
}

const fits = (query: URLSearchParams, name: string, value: string | undefined): boolean =>
  query.has(name) && (value === undefined || query.get(name) === value);

function compile(operation: ModelOperation, prefix: string): Pattern {
  const [method, uri] = operation.http ?? ["", "", 0];
  const [path = "", fixedText = ""] = `${prefix}${uri}`.split("?");
  const labels: string[] = [];
  const source = path
    .replace(/\/+$/, "")
    .replaceAll(/\{(\w+)(\+?)\}|[.*()[\]^$|\\]/g, (text, label: string | undefined, greedy: string) => {
      if (!label) return `\\${text}`;
      labels.push(label);
      return greedy ? "(.+)" : "([^/]+)";
    });
  const fixed = fixedText
    .split("&")
    .filter((part) => part !== "" && !part.startsWith("x-id="))
    .map((part): [string, string | undefined] => {
      const [name = "", value] = part.split("=");
      return [name, value];
    });
  const required = requiredBindings(operation);
  const weight = 100 * path.split("/").length + 10 * fixed.length + 5 * required.length - labels.length;
  return { operation, method, path: new RegExp(`^${source}/?$`, "s"), labels, fixed, required, weight };
}

function requiredBindings(operation: ModelOperation): Pattern["required"] {
  const tuple = operation.input.getSchema() as readonly unknown[];
  const required = Array.isArray(tuple) ? Number(tuple[6] ?? 0) : 0;
  const bindings: { kind: "query" | "header"; name: string }[] = [];
  let index = 0;
  for (const [, member] of operation.input.structIterator()) {
    if (index++ >= required) break;
    const { httpQuery, httpHeader } = member.getMergedTraits();
    if (httpQuery) bindings.push({ kind: "query", name: httpQuery });
    else if (httpHeader) bindings.push({ kind: "header", name: httpHeader.toLowerCase() });
  }
  return bindings;
}
