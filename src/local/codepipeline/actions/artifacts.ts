import type { Readable } from "node:stream";
import yauzl from "yauzl";
import { readBody } from "../../gateway/read-body.ts";
import { Failure } from "../../gateway/failure.ts";
import type { ActionContext } from "../action.ts";
import type { Execution } from "../store.ts";

const LIMIT_BYTES = 2 * 1024 ** 3;

/** The key of the artifact store, where it has one of its own. */
export const encryptionOf = ({ declaration }: Execution): object =>
  declaration.artifactStore?.encryptionKey?.id
    ? { ServerSideEncryption: "aws:kms", SSEKMSKeyId: declaration.artifactStore.encryptionKey.id }
    : {};

/** Keeps a ZIP as the action's output artifact. @throws Failure when the action declares none */
export async function storeOutput({ core, execution, as, outputs }: ActionContext, zip: Buffer): Promise<void> {
  const [output] = outputs;
  if (!output) throw new Failure("ConfigurationError", "a source action needs an output artifact");
  const input = { Bucket: output.bucket, Key: output.key, Body: zip, ContentType: "application/zip", ...encryptionOf(execution) };
  await core.dispatcher.call({ service: "s3", operation: "PutObject", input, as, account: execution.account, region: execution.region });
}

/** A file of an input artifact, as text. @throws Failure when it is not there */
export async function readArtifactFile({ core, execution, inputs, as }: ActionContext, path: string): Promise<string> {
  const [name, file] = path.includes("::") ? path.split("::") : [inputs[0]?.name ?? "", path];
  const input = inputs.find((one) => one.name === name) ?? inputs[0];
  if (!input) throw new Failure("ConfigurationError", `the action has no input artifact ${name}`);
  const { Body } = await core.dispatcher.call<{ Body: Readable }>({
    service: "s3",
    operation: "GetObject",
    input: { Bucket: input.bucket, Key: input.key },
    as,
    account: execution.account,
    region: execution.region,
  });
  const zip = await yauzl.fromBufferPromise(await readBody(Body, LIMIT_BYTES), { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry())
      if (entry.fileName === file) return (await readBody(await zip.openReadStreamPromise(entry))).toString("utf8");
  } finally {
    zip.close();
  }
  throw new Failure("ConfigurationError", `artifact ${input.name} has no file ${file}`);
}
