import { join } from "node:path";
import { writeFileSync } from "node:fs";

/** As `omx local start --upstream quay.io=URL` keeps it: the accounts' own settings are the caller's. */
export const readsUpstreamAt = ({ accounts }: { readonly accounts: { readonly dataDir: string } }, url: string): void =>
  writeFileSync(join(accounts.dataDir, "options.json"), JSON.stringify({ upstreams: { "quay.io": url } }));
