import { CreatePullThroughCacheRuleCommand } from "@aws-sdk/client-ecr";
import { expect, test } from "vitest";
import { registryClient } from "../../../oci/client/registry-client.ts";
import { startDockerRegistry } from "../../../oci/testing/docker-registry.ts";
import { forwardProxy } from "../../../oci/testing/forward-proxy.ts";
import { noise, pushSample } from "../../../oci/testing/sample-images.ts";
import { digestOf } from "../../../oci/digest.ts";
import { startAccounts } from "../../testing/accounts.ts";
import { signIn } from "../testing/registry.ts";

test("the cache of accounts that were started behind a proxy reads upstream through it, manifests and layers", async () => {
  await using registry = await startDockerRegistry();
  await using proxy = await forwardProxy({ "registry.test": registry.url });
  await using accounts = await startAccounts({
    upstreams: { "quay.io": "http://registry.test" },
    proxy: { http: proxy.url, except: "127.0.0.1" },
  });
  await using user = await signIn(accounts);
  const client = registryClient();
  const layer = noise("behind a proxy", 20_000);
  await pushSample(client.repository({ registry: registry.host, repository: "tool" }), "1", { layers: [layer] });
  await client.close();
  await user.ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "quay", upstreamRegistryUrl: "quay.io" }));
  expect((await user.http("GET", "quay/tool/manifests/1")).status).toBe(200);
  const answer = await user.http("GET", `quay/tool/blobs/${digestOf(layer)}`);
  expect(Buffer.from(await answer.arrayBuffer()).equals(layer)).toBe(true);
  for (const part of ["manifests", digestOf(layer)])
    expect(proxy.asked).toContainEqual(expect.stringMatching(new RegExp(`^GET http://registry\\.test/v2/tool/.*${part}`)));
});
