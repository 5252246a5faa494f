/** What a registry asks for before it answers (RFC 9110, section 11.6.1). The scheme is in lower case. */
export interface Challenge {
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
/** A value without quotes may hold none of an address's colons and slashes; some registries' realms do. */
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s",]+))\\s*(?:,\\s*|$)`);
/** One opaque value instead of parameters, as Negotiate's. */
const TOKEN68 = /^[\w.~+/-]+=*\s*(?:,\s*|$)/;
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+|\\s*,\\s*|$)`);

/** Reads a WWW-Authenticate header, which may hold several challenges. What is not readable ends the list. */
export function readChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header.trim();
  while (rest !== "") {
    const parameter = PARAMETER.exec(rest);
    const current = challenges.at(-1);
    if (parameter?.[1] !== undefined && current) {
      current.parameters[parameter[1].toLowerCase()] = (parameter[2] ?? parameter[3] ?? "").replace(/\\(.)/g, "$1");
      rest = rest.slice(parameter[0].length);
      continue;
    }
    const opaque = current && Object.keys(current.parameters).length === 0 ? TOKEN68.exec(rest) : null;
    if (opaque) {
      rest = rest.slice(opaque[0].length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme?.[1] === undefined) break;
    challenges.push({ scheme: scheme[1].toLowerCase(), parameters: {} });
    rest = rest.slice(scheme[0].length);
  }
  return challenges;
}
