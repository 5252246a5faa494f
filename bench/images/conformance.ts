// Walks through a registry as the distribution-spec suite does, in our own words, and prints what each section came to.
//
//   node bench/images/conformance.ts URL REPOSITORY REPOSITORY [USER:PASSWORD]
//
// Without arguments through the local ECR. Ends with 1 when a check failed.
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { SECTIONS, walkSection } from "../../src/local/ecr/testing/walk/walk.ts";
import type { WalkedRegistry } from "../../src/local/ecr/testing/walk/registry.ts";
import { CICD, REGION, startAccounts } from "../../src/local/testing/accounts.ts";

async function localEcr(): Promise<{ readonly registry: WalkedRegistry; close(): Promise<void> }> {
  const accounts = await startAccounts();
  const ecr = new ECRClient(accounts.config("cicd"));
  for (const repositoryName of ["conformance/one", "conformance/two"]) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const prefix = `${CICD}/${REGION}/conformance`;
  const authorization = `Basic ${authorizationData?.[0]?.authorizationToken ?? ""}`;
  return {
    registry: { url: accounts.url, repositories: [`${prefix}/one`, `${prefix}/two`], authorization },
    close: async () => accounts[Symbol.asyncDispose](),
  };
}

const [url, one = "conformance/one", two = "conformance/two", user] = process.argv.slice(2);
const given =
  url === undefined
    ? undefined
    : {
        url,
        repositories: [one, two] as const,
        ...(user !== undefined && { authorization: `Basic ${Buffer.from(user).toString("base64")}` }),
      };
const { registry, close } = given ? { registry: given, close: () => Promise.resolve() } : await localEcr();
const totals = { passed: 0, unsupported: 0, failed: 0 };
for (const section of Object.keys(SECTIONS)) {
  const outcomes = await walkSection(registry, section);
  const counts = { passed: 0, unsupported: 0, failed: 0 };
  for (const { result } of outcomes) counts[result] += 1;
  for (const result of ["passed", "unsupported", "failed"] as const) totals[result] += counts[result];
  console.log(`${section}: ${counts.passed} passed, ${counts.unsupported} unsupported, ${counts.failed} failed`);
  for (const { check, result, why } of outcomes) if (result === "failed") console.log(`  ${check}: ${why}`);
}
console.log(
  `all: ${totals.passed + totals.unsupported + totals.failed} checks, ${totals.passed} passed, ${totals.unsupported} unsupported, ${totals.failed} failed`,
);
await close();
process.exitCode = totals.failed > 0 ? 1 : 0;
