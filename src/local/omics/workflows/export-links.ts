import { createHmac, timingSafeEqual } from "node:crypto";
import type { PathHandler, WireResponse } from "../../gateway/service.ts";
import type { Omics } from "../omics.ts";
import type { Definition } from "../store.ts";
import { definitionAt } from "./find.ts";

const PREFIX = "/omics-exports/";
const LIFETIME_MS = 15 * 60_000;

type Kind = "definition" | "readme";

/** A path that gives the definition's ZIP or README to whoever has it, for 15 minutes, also after a restart. */
export function exportUrl(omics: Omics, arn: string, kind: Kind): string {
  const claim = Buffer.from(JSON.stringify({ arn, kind, until: omics.core.clock.now().getTime() + LIFETIME_MS })).toString("base64url");
  return `${PREFIX}${claim}.${signatureOf(omics, claim)}`;
}

function signatureOf({ store, core }: Omics, claim: string): string {
  return createHmac("sha256", secretOf({ store, core })).update(claim).digest("base64url");
}

function secretOf({ store, core }: Pick<Omics, "store" | "core">): string {
  const known = store.secrets.get(["exports"]);
  if (known !== undefined) return known.secret;
  const secret = core.random.hex(64);
  store.secrets.put(["exports"], { secret });
  return secret;
}

/** Serves what {@link exportUrl} names. */
export const exportHandler = (omics: Omics): PathHandler => ({
  prefix: PREFIX,
  handle: ({ path }) => Promise.resolve(serve(omics, path.slice(PREFIX.length))),
});

function serve(omics: Omics, text: string): WireResponse {
  const claim = verified(omics, text);
  const definition: Pick<Definition, "zip" | "readme"> | undefined = claim && definitionByArn(omics, claim.arn);
  if (claim === undefined || definition === undefined)
    return { status: 403, headers: { "content-type": "text/plain" }, body: "The link is not valid or has expired\n" };
  if (claim.kind === "readme")
    return { status: 200, headers: { "content-type": "text/markdown; charset=utf-8" }, body: definition.readme ?? "" };
  return { status: 200, headers: { "content-type": "application/zip" }, body: omics.core.blobs.open(definition.zip ?? "") };
}

function verified(omics: Omics, text: string): { readonly arn: string; readonly kind: Kind } | undefined {
  const [claim = "", signature = ""] = text.split(".");
  const [given, right] = [Buffer.from(signature), Buffer.from(signatureOf(omics, claim))];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const read = JSON.parse(Buffer.from(claim, "base64url").toString("utf8")) as { arn: string; kind: Kind; until: number };
  return read.until > omics.core.clock.now().getTime() ? read : undefined;
}

/** A workflow, one of its versions, or the workflow as a run had it. */
function definitionByArn(omics: Omics, arn: string): Pick<Definition, "zip" | "readme"> | undefined {
  const [, , , region = "", account = "", resource = ""] = arn.split(":");
  const [kind, workflowId = "", , versionName] = resource.split("/");
  if (kind === "run") return omics.store.runs.get([account, region, workflowId]);
  return definitionAt(omics, { account, region, workflowId, ...(versionName !== undefined && { versionName }) });
}
