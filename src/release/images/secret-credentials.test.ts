import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import { CICD, REGION, startAccounts } from "../../local/testing/accounts.ts";
import { secretCredentials } from "./secret-credentials.ts";

const PASSWORD = "s3cret-of-the-lab";

test("a secret is read once, again after it could not be, and no error says what is in it", async () => {
  await using accounts = await startAccounts();
  const secrets = new SecretsManagerClient(accounts.config());
  const provide = secretCredentials(secrets, { "lab.example": `arn:aws:secretsmanager:${REGION}:${CICD}:secret:lab` });
  const failure = () =>
    provide("lab.example").then(
      () => "",
      (error: Error) => error.message,
    );
  expect([await provide("quay.io"), await failure()]).toEqual([
    undefined,
    expect.stringMatching(/^the credentials of lab\.example \(arn:[^)]*\) can't be used: ResourceNotFoundException/),
  ]);
  await secrets.send(new CreateSecretCommand({ Name: "lab", SecretString: `{"username": "robot", "token": "${PASSWORD}"` }));
  const malformed = await failure();
  expect([malformed.includes('it is not {"username"'), malformed.includes(PASSWORD)]).toEqual([true, false]);
  await secrets.send(
    new PutSecretValueCommand({ SecretId: "lab", SecretString: JSON.stringify({ username: "robot", password: PASSWORD }) }),
  );
  expect(await provide("lab.example")).toEqual({ kind: "password", username: "robot", password: PASSWORD });
  await secrets.send(new PutSecretValueCommand({ SecretId: "lab", SecretString: "{}" }));
  expect(await provide("lab.example")).toMatchObject({ password: PASSWORD });
}, 120_000);
