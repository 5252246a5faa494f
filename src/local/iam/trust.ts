import type { Settings } from "../gateway/service.ts";
import { type IamStore, named, roleByArn, userArn } from "./store.ts";

/**
 * The first user or role that a policy names and that is not there, among those of the local accounts: AWS refuses such
 * a policy. The document must have been validated.
 */
export function missingPrincipal(store: IamStore, settings: Settings, document: string): string | undefined {
  const local = new Set<string>(settings.accounts.map(({ id }) => id));
  return awsPrincipals(document).find((arn) => {
    const match = /^arn:aws:iam::(\d{12}):(user|role)\/(?:.*\/)?([^/]+)$/.exec(arn);
    if (!match || !local.has(match[1] ?? "")) return false;
    if (match[2] === "role") return roleByArn(store, arn) === undefined;
    const user = store.users.get(named(match[1] ?? "", match[3] ?? ""));
    return !user || userArn(user) !== arn;
  });
}

interface Statement {
  readonly Principal?: "*" | { readonly AWS?: string | readonly string[] };
}

function awsPrincipals(document: string): readonly string[] {
  const { Statement: statements } = JSON.parse(document) as { readonly Statement: Statement | readonly Statement[] };
  return [statements].flat().flatMap(({ Principal }) => (Principal === undefined || Principal === "*" ? [] : [Principal.AWS ?? []].flat()));
}
