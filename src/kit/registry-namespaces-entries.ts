import { parseRegistryHost } from "./image-ref-host.ts";
import { privateEcrHost, readPrivateEcrHost } from "./image-ref-ecr.ts";
import { InvalidValue } from "./invalid-value.ts";
import {
  ECR_NAME_RULE,
  isEcrName,
  namespaceOf,
  ownNamespace,
  REGISTRY_NAMESPACES,
  type RegistryNamespaces,
  suggestedNamespace,
} from "./registry-namespaces.ts";

/** What is wrong with an entry of a user's table. */
export interface NamespaceProblem {
  /** The entry's key, as it is written. */
  readonly registry: string;
  /** A sentence that says what to write instead. */
  readonly message: string;
}

/**
 * The table with a user's entries; a namespace may be the user's own for a registry that is in the table already.
 * @throws InvalidValue for the first of `namespaceProblems`
 */
export function extendNamespaces(entries: RegistryNamespaces): RegistryNamespaces {
  const [problem] = namespaceProblems(entries);
  if (problem) throw new InvalidValue("entry of namespaces", `${problem.registry}: ${entries[problem.registry]}`, problem.message);
  return { ...REGISTRY_NAMESPACES, ...entries };
}

/**
 * What is wrong with a user's entries: keys that are no registry or another name of one, namespaces that ECR would refuse,
 * and namespaces in which images of two registries would meet.
 */
export function namespaceProblems(entries: RegistryNamespaces): readonly NamespaceProblem[] {
  const listed = Object.entries(entries);
  const builtIn = Object.entries(REGISTRY_NAMESPACES).filter(([registry]) => !Object.hasOwn(entries, registry));
  return listed.flatMap(([registry, namespace], index) => {
    const message =
      keyProblem(registry) ??
      namespaceProblem(registry, namespace) ??
      meeting(registry, namespace, [...builtIn, ...listed.slice(0, index)]);
    return message === undefined ? [] : [{ registry, message }];
  });
}

const isPattern = (registry: string): boolean => registry.includes("*");

/** What may stand for `*`: twelve digits, for a pattern may stand for accounts. */
const WORD = "123456789012";

/** What is wrong with a registry where one is named by its host, as an image's registry is after it is parsed; undefined for nothing. */
export const registryProblem = (registry: string): string | undefined =>
  isPattern(registry) ? `"${registry}" is no registry; name one by its host` : nameProblem(registry, parseRegistryHost);

function keyProblem(registry: string): string | undefined {
  if (!isPattern(registry)) return nameProblem(registry, oneName);
  const example = registry.replace("*", WORD);
  if (!/^\*\.[^*]+$/.test(registry) || !isHostName(example))
    return `"${registry}" stands for no registries; write * and the rest of a host in lower case, as in *.example.org`;
  const one = oneName(example);
  return one === example ? undefined : anotherName(registry, one.replace(WORD, "*"));
}

function isHostName(text: string): boolean {
  try {
    return parseRegistryHost(text) !== "";
  } catch {
    return false;
  }
}

function nameProblem(registry: string, nameOf: (host: string) => string): string | undefined {
  try {
    const one = nameOf(registry);
    return one === registry ? undefined : anotherName(registry, one);
  } catch (error) {
    return (error as Error).message;
  }
}

const anotherName = (registry: string, one: string): string => `${registry} is another name of ${one}; write ${one}`;

/** A registry's one name; private ECR answers at several hosts. */
function oneName(host: string): string {
  const registry = parseRegistryHost(host);
  const ecr = readPrivateEcrHost(registry);
  return ecr ? privateEcrHost(ecr) : registry;
}

function namespaceProblem(registry: string, namespace: string): string | undefined {
  const [, ...stars] = namespace.split("*");
  if (isPattern(registry) && stars.length === 0 && REGISTRY_NAMESPACES[registry] !== namespace)
    return `${registry} stands for many registries, whose images would meet under ${namespace}/; write * for the word that tells them apart, as in ${suggestion(registry)}`;
  if (!isPattern(registry) && stars.length > 0)
    return `images of ${registry} need one namespace; write it without *, as in ${suggestion(registry)}`;
  const isLegal = stars.length < 2 && isEcrName(namespace.replace("*", "xx")) && isEcrName(`${namespace.replace("*", "xx")}/ab`);
  return isLegal ? undefined : `images of ${registry} need a prefix of ${ECR_NAME_RULE}; write one as ${suggestion(registry)}`;
}

const suggestion = (registry: string): string => (isPattern(registry) ? `${suggestedNamespace(registry)}/*` : suggestedNamespace(registry));

/** Which other registry's images would share names with this one's. */
function meeting(registry: string, namespace: string, others: readonly (readonly [string, string])[]): string | undefined {
  if (namespace === withoutEntry(registry)) return undefined;
  const host = hostMet(registry, namespace);
  if (host !== undefined)
    return `images of ${host} go to ${ownNamespace(host)}/; write another namespace for ${registry}, as in ${suggestion(registry)}`;
  const [other, taken] =
    [["private ECR of other accounts and regions", "ecr/*/*"] as const, ...others].find(([, theirs]) =>
      areNested(namespace.split("/"), theirs.split("/")),
    ) ?? [];
  return other === undefined
    ? undefined
    : `images of ${registry} would meet those of ${other}, which go to ${taken}/; write another namespace, as in ${suggestion(registry)}`;
}

/** Where a registry's images go without a user's entry. */
const withoutEntry = (registry: string): string | undefined =>
  isPattern(registry) ? REGISTRY_NAMESPACES[registry] : (namespaceOf(registry, REGISTRY_NAMESPACES) ?? ownNamespace(registry));

/** A registry, other than the one itself, that has the namespace's beginning for its own: by its host. */
function hostMet(registry: string, namespace: string): string | undefined {
  const [first = ""] = namespace.split("/");
  if (first.includes("*") && canBeEqual(first, "localhost")) return "localhost";
  // What may stand for `*`: any word, a port, the mark of an address.
  return ["x", "5000", "ipv6"]
    .filter((word) => first.replace("*", word) !== ownNamespace(registry.replace("*", word)))
    .map((word) => registryNamed(first.replace("*", word)))
    .find((host) => host !== undefined);
}

/** The registry that has a word for its own namespace. */
function registryNamed(word: string): string | undefined {
  if (word.startsWith("ipv6_")) return "[::1]";
  try {
    return parseRegistryHost(word.replace(/_(\d+)$/, ":$1"));
  } catch {
    return undefined;
  }
}

/** Whether one path may be the beginning of the other, whatever stands for `*`. */
const areNested = (one: readonly string[], other: readonly string[]): boolean =>
  one.slice(0, other.length).every((word, index) => canBeEqual(word, other[index] ?? ""));

function canBeEqual(one: string, other: string): boolean {
  const [before = "", after] = one.split("*");
  const [otherBefore = "", otherAfter] = other.split("*");
  if (after === undefined)
    return otherAfter === undefined
      ? one === other
      : one.startsWith(otherBefore) && one.endsWith(otherAfter) && one.length > otherBefore.length + otherAfter.length;
  if (otherAfter === undefined) return canBeEqual(other, one);
  return (before.startsWith(otherBefore) || otherBefore.startsWith(before)) && (after.endsWith(otherAfter) || otherAfter.endsWith(after));
}
