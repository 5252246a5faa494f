import { request } from "node:http";
import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../testing/registry.ts";

// Each starts accounts of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let accounts: TestAccounts;
let user: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

const errorOf = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as { errors: { code: string; message: string }[] }).errors[0],
});

/** The list as a client asks for it that resolves ECR's own name to this address: fetch sends no Host of its own. */
const getAt = (host: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(accounts.url);
    const authorization = `Basic ${Buffer.from(`AWS:${user.password}`).toString("base64")}`;
    const sent = request({ hostname, port, path: "/v2/_catalog", headers: { host, authorization } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    });
    sent.on("error", reject).end();
  });

describe("crane catalog, oras repo ls", () => {
  const catalog = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await user.http("GET", path, { headers });
    return {
      names: ((await answer.json()) as { repositories: string[] }).repositories,
      next: /<(.*)>/.exec(answer.headers.get("link") ?? "")?.[1],
    };
  };

  test("list the repositories of the caller's account as they are addressed here, in pages", async () => {
    await using other = await signIn(accounts, "production");
    await createRepository(other.ecr, "catalog/foreign");
    for (const name of ["catalog/a", "catalog/b/c"]) await createRepository(user.ecr, name);
    await createRepository(new ECRClient({ ...user.config, region: "eu-west-1" }), "catalog/a");
    const { names } = await catalog("/v2/_catalog");
    const [abroad, ...here] = ["eu-west-1/catalog/a", `${REGION}/catalog/a`, `${REGION}/catalog/b/c`].map((name) => `${CICD}/${name}`);
    expect(names).toEqual(expect.arrayContaining([abroad, ...here]));
    expect(names.every((name) => name.startsWith(`${CICD}/`))).toBe(true);
    const [first, second] = await Promise.all([
      catalog("/v2/_catalog?n=1"),
      catalog(`/v2/_catalog?n=2&last=${encodeURIComponent(`${CICD}/${REGION}/catalog`)}`),
    ]);
    expect([first.names, second.names]).toEqual([[abroad], here]);
    expect((await catalog(first.next!)).names).toHaveLength(1);
    expect((await catalog(`/v2/_catalog?last=${PRODUCTION}/${REGION}/a`)).names).toEqual([]);
  });

  test("list the registry whose own host is asked by bare names", async () => {
    await createRepository(user.ecr, "catalog/own");
    expect(await getAt(hostOf(CICD))).toMatchObject({ repositories: expect.arrayContaining(["catalog/own"]) });
    expect(await getAt(hostOf(PRODUCTION))).toMatchObject({ errors: [{ code: "DENIED" }] });
  });

  test("ask for 1000 at most, as DescribeRepositories does, and for its permission", async () => {
    expect(await errorOf(await user.http("GET", "/v2/_catalog?n=10000"))).toEqual({
      status: 405,
      code: "UNSUPPORTED",
      message: "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
    });
    await createRepository(user.ecr, "catalog/hidden");
    const iam = new IAMClient(user.config);
    await iam.send(new CreateUserCommand({ UserName: "nobody" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "nobody" }));
    await iam.send(
      new PutUserPolicyCommand({
        UserName: "nobody",
        PolicyName: "sign-in",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" }],
        }),
      }),
    );
    const ecr = new ECRClient({
      ...user.config,
      credentials: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! },
    });
    const token = (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
    const answer = await user.http("GET", "/v2/_catalog", { headers: { authorization: `Basic ${token}` } });
    expect(await errorOf(answer)).toMatchObject({
      status: 403,
      code: "DENIED",
      message: expect.stringContaining("ecr:DescribeRepositories"),
    });
  });
});
