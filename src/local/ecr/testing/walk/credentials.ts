import { noise } from "../../../../oci/testing/sample-images.ts";
import { TYPES } from "./data-sets.ts";
import type { Check } from "./outcomes.ts";
import { ask, expectRefusal, type WalkedRegistry, within } from "./registry.ts";
import { OCTETS } from "./uploads.ts";

/**
 * What a client asks before it has signed in: each request, with its body, is answered by a challenge that says how to
 * sign in. Clients send it again then; so nothing of the first may have been done. Of a registry that asks for no
 * credentials there is nothing to check.
 */
export async function walkChallenges({ authorization, ...stranger }: WalkedRegistry, check: Check): Promise<void> {
  if (authorization === undefined) return;
  const [repository] = stranger.repositories;
  const at = (rest: string) => within(stranger, repository, rest);
  const manifest = { headers: { "content-type": TYPES.image }, body: noise("a manifest of a stranger", 3_000_000), isStream: true };
  const chunk = { headers: { ...OCTETS, "content-range": "0-511" }, body: noise("a chunk of a stranger", 512) };
  const asked = [
    ["GET", `${stranger.url}/v2/`, {}],
    ["GET", at("tags/list"), {}],
    ["HEAD", at("manifests/latest"), { headers: { accept: TYPES.index } }],
    ["GET", at(`blobs/sha256:${"0".repeat(64)}`), { headers: { range: "bytes=0-9" } }],
    ["GET", at(`referrers/sha256:${"0".repeat(64)}`), {}],
    ["POST", at("blobs/uploads/"), {}],
    ["PATCH", at("blobs/uploads/nobody"), chunk],
    ["PUT", at("manifests/latest"), manifest],
    ["DELETE", at("manifests/latest"), {}],
  ] as const;
  for (const [method, address, more] of asked)
    await check(`${method} ${new URL(address).pathname.split("/").slice(-2).join("/")}`, async () => {
      const answer = expectRefusal(await ask(stranger, method, address, more), 401);
      const challenge = answer.headers.get("www-authenticate") ?? "";
      if (!/^(basic|bearer)\s+realm="[^"]+"/i.test(challenge)) throw new Error(`${address}: ${challenge || "nothing"} is no challenge`);
    });
}
