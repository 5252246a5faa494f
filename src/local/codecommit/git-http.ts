import { spawn } from "node:child_process";
import { PassThrough, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { principalAccount, principalArn, type Principal } from "../authorization/principal.ts";
import { authenticate } from "../gateway/authenticate.ts";
import { AwsError } from "../gateway/aws-error.ts";
import { globalContext } from "../gateway/dispatcher.ts";
import type { WireRequest, WireResponse } from "../gateway/service.ts";
import { isFailure } from "../gateway/signed-request.ts";
import { parseSignature } from "../gateway/sigv4.ts";
import { sha256Hex } from "../gateway/signing-key.ts";
import { signedRegion } from "../gateway/git-credential.ts";
import type { CodeCommit } from "./repository-access.ts";
import { repositoryArn, type Repository } from "./store.ts";
import { readPush } from "./push.ts";
import { repositoryFolder } from "./git.ts";

/** Git over HTTP at `/v1/repos/<name>`, with the passwords that `aws codecommit credential-helper` makes. */
export async function serveGit(codecommit: CodeCommit, request: WireRequest): Promise<WireResponse> {
  try {
    const [, name = "", rest = ""] = /^\/v1\/repos\/([^/]+?)(?:\.git)?(\/.*)?$/.exec(request.path) ?? [];
    const { caller, region } = authenticateGit(codecommit, request);
    const isPush = rest === "/git-receive-pack" || new URLSearchParams(request.query).get("service") === "git-receive-pack";
    const account = principalAccount(caller) ?? "";
    const repository = codecommit.store.repositories.get([account, region, decodeURIComponent(name)]);
    const arn = repositoryArn({ account, region }, decodeURIComponent(name));
    const authorize = (context: Record<string, string> = {}): void =>
      codecommit.core.directory.authorize(
        caller,
        { action: isPush ? "codecommit:GitPush" : "codecommit:GitPull", resource: arn, context },
        { region, context: globalContext(codecommit.core.clock, region) },
      );
    authorize();
    if (!repository)
      return {
        status: 404,
        headers: { "content-type": "text/plain" },
        body: `repository ${name} does not exist in account ${account}, region ${region}\n`,
      };
    const { references, body } = rest === "/git-receive-pack" ? await readPush(bodyOf(request)) : { references: [], body: bodyOf(request) };
    // Each reference by itself: a policy may protect one of them.
    for (const reference of references) authorize({ "codecommit:References": reference });
    return await backend(codecommit, { request, body, repository, rest, by: principalArn(caller) });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Git asks without credentials first and sends them only when it is told to.
    const challenge = error.status === 401 ? { "www-authenticate": 'Basic realm="CodeCommit"' } : {};
    return { status: error.status, headers: { "content-type": "text/plain", ...challenge }, body: `${error.code}: ${error.message}\n` };
  }
}

function authenticateGit(
  { core }: CodeCommit,
  { path, query, headers, method }: WireRequest,
): { readonly caller: Principal; readonly region: string } {
  const signed = { method, rawPath: path, rawQuery: query, headers, payloadSha256: sha256Hex("") };
  const presented = parseSignature(signed);
  if (!presented || isFailure(presented))
    throw new AwsError(
      401,
      "AuthenticationRequired",
      "sign in with the user name and password of `aws codecommit credential-helper get` or `omx local git-credential`",
    );
  const { caller } = signedIn(() => authenticate(signed, presented, core));
  const { secretAccessKey = "" } = core.directory.credential(presented.accessKeyId) ?? {};
  return { caller, region: signedRegion(presented, secretAccessKey, signed) ?? core.settings.region };
}

/** Git knows a refusal by its status: whatever is wrong with a password is 403. */
function signedIn<Result>(verify: () => Result): Result {
  try {
    return verify();
  } catch (error) {
    throw error instanceof AwsError ? new AwsError(403, "AccessDenied", error.message) : error;
  }
}

function bodyOf({ body, headers }: WireRequest): Readable {
  if (headers["content-encoding"] !== "gzip") return body;
  // A client that goes away ends what is unpacked for it too: git would wait for the rest for ever.
  return pipeline(body, createGunzip(), () => undefined);
}

interface BackendCall {
  readonly request: WireRequest;
  /** Unpacked. */
  readonly body: Readable;
  readonly repository: Repository;
  readonly rest: string;
  readonly by: string;
}

/** Git's own CGI does the protocol. */
async function backend(codecommit: CodeCommit, { request, body, repository, rest, by }: BackendCall): Promise<WireResponse> {
  const { core } = codecommit;
  const child = spawn("git", ["-c", "safe.directory=*", "http-backend"], {
    env: {
      PATH: core.settings.environment["PATH"] ?? "/usr/bin:/bin",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROJECT_ROOT: repositoryFolder(core, repository, repository.id),
      PATH_INFO: rest,
      REQUEST_METHOD: request.method,
      QUERY_STRING: request.query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      REMOTE_USER: by,
      REMOTE_ADDR: "127.0.0.1",
      ...(request.headers["git-protocol"] && { GIT_PROTOCOL: request.headers["git-protocol"] }),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  body.on("error", () => child.kill());
  child.stdin.on("error", () => undefined); // the backend may answer before it has read everything
  body.pipe(child.stdin);
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  const answered = await readCgi(child.stdout);
  if (rest !== "/git-receive-pack") return answered;
  const consequences = async (): Promise<void> => {
    if ((await ended) === 0) await codecommit.refsMoved(repository, by);
    else core.log("codecommit", `git http-backend: ${Buffer.concat(errors).toString("utf8").trim()}`);
  };
  return { ...answered, body: endingAfter(answered.body, consequences) };
}

/** The answer to a push: its client must not see the end before the push has had its consequences. */
function endingAfter(body: Readable, consequences: () => Promise<void>): Readable {
  const held = new PassThrough();
  const pass = async (): Promise<void> => {
    for await (const chunk of body) held.write(chunk);
    await consequences();
    held.end();
  };
  pass().catch((error: Error) => held.destroy(error));
  return held;
}

/** Headers up to an empty line, then the body. */
async function readCgi(
  output: Readable,
): Promise<{ readonly status: number; readonly headers: Record<string, string>; readonly body: Readable }> {
  let head = Buffer.alloc(0);
  const iterator = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let end = -1;
  while (end < 0) {
    const { value, done } = await iterator.next();
    if (done) throw new AwsError(500, "InternalFailure", "git http-backend answered nothing");
    head = Buffer.concat([head, value]);
    end = head.indexOf("\r\n\r\n");
  }
  const lines = head.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const { status = "200", ...others } = headers;
  async function* rest(): AsyncGenerator<Buffer> {
    yield head.subarray(end + 4);
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return;
      yield value;
    }
  }
  return { status: Number.parseInt(status, 10), headers: others, body: Readable.from(rest(), { objectMode: false }) };
}
