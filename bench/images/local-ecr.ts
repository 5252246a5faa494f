// Local accounts with empty repositories, in a process of their own. Reads the repositories' names as JSON on stdin, prints
// {host, prefix, username, password} and serves until it is ended.
import { json } from "node:stream/consumers";
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { CICD, REGION, startAccounts } from "../../src/local/testing/accounts.ts";

const names = (await json(process.stdin)) as readonly string[];
const accounts = await startAccounts();
const ecr = new ECRClient(accounts.config("cicd"));
for (const repositoryName of names) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
const [username, password] = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64")
  .toString()
  .split(":");
const { host } = new URL(accounts.url);
process.stdout.write(`${JSON.stringify({ host, prefix: `${host}/${CICD}/${REGION}/`, username, password })}\n`);
process.once("SIGTERM", () => void accounts[Symbol.asyncDispose]().then(() => process.exit(0)));
