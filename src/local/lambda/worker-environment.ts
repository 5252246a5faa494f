import { delimiter, dirname, join } from "node:path";
import type { Core, SessionKeys } from "../gateway/service.ts";
import type { Unpacked } from "./code.ts";
import { type Python, pythonFor } from "./python.ts";
import { nodeOptions } from "../program-support.ts";
import { runtimeFile } from "./runtime-files.ts";
import { runtimeKind } from "./runtimes.ts";
import type { FunctionDocument } from "./store.ts";

/** A program and what it is started with. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a worker's process is made of. */
export interface WorkerParts {
  readonly function: FunctionDocument;
  readonly folders: Unpacked;
  readonly keys: SessionKeys;
  /** `127.0.0.1:4577/…`, where the process asks for its work. */
  readonly runtimeApi: string;
  readonly logGroup: string;
  readonly logStream: string;
}

/** The program of a function's runtime, with the environment that AWS documents and nothing of this machine but PATH. */
export async function programOf(core: Core, parts: WorkerParts): Promise<Program> {
  const shared = sharedEnvironment(core, parts);
  switch (runtimeKind(parts.function.runtime)) {
    case "node":
      return nodeProgram(parts, shared);
    case "python":
      return pythonProgram(parts, shared, await pythonFor(core, parts.function.runtime));
    case "custom":
      return { command: join(parts.folders.task, "bootstrap"), args: [], env: shared };
    case undefined:
      throw new Error(`the local accounts can't run ${parts.function.runtime}`);
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function sharedEnvironment(
  core: Core,
  { function: of, folders, keys, runtimeApi, logGroup, logStream }: WorkerParts,
): Record<string, string> {
  const { PATH = "" } = core.settings.environment;
  const { opt, task } = folders;
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...of.environment,
    PATH: [dirname(process.execPath), ...(opt === undefined ? [] : [join(opt, "bin")]), PATH].join(delimiter),
    LD_LIBRARY_PATH: [task, join(task, "lib"), ...(opt === undefined ? [] : [join(opt, "lib")])].join(delimiter),
    AWS_REGION: of.region,
    AWS_DEFAULT_REGION: of.region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    AWS_ENDPOINT_URL: core.endpoint(),
    AWS_DISABLE_HOST_PREFIX_INJECTION: "true",
    AWS_EC2_METADATA_DISABLED: "true",
    ...(Object.keys(core.settings.upstreams).length > 0 && { OMX_UPSTREAMS: JSON.stringify(core.settings.upstreams) }),
    AWS_EXECUTION_ENV: `AWS_Lambda_${of.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: of.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(of.memorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_LOG_FORMAT: of.logging.LogFormat ?? "Text",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    LAMBDA_TASK_ROOT: task,
    LAMBDA_RUNTIME_DIR: dirname(runtimeFile("node/bootstrap.mjs")),
    _HANDLER: of.handler,
  };
}

function nodeProgram({ function: of, folders: { opt } }: WorkerParts, shared: Record<string, string>): Program {
  const major = /\d+/.exec(of.runtime)?.[0] ?? "";
  const modules = opt === undefined ? [] : [join(opt, "nodejs", `node${major}`, "node_modules"), join(opt, "nodejs", "node_modules")];
  const env = {
    ...shared,
    NODE_PATH: modules.join(delimiter),
    NODE_OPTIONS: [nodeOptions(), of.environment["NODE_OPTIONS"]].filter(Boolean).join(" "),
  };
  return { command: process.execPath, args: [runtimeFile("node/bootstrap.mjs")], env };
}

function pythonProgram({ folders: { opt } }: WorkerParts, shared: Record<string, string>, { command, version, packages }: Python): Program {
  const layers = opt === undefined ? [] : [join(opt, "python"), join(opt, "python", "lib", `python${version}`, "site-packages")];
  const path = [shared["PYTHONPATH"], ...layers, packages].filter((entry) => entry !== undefined);
  const env = { ...shared, PYTHONPATH: path.join(delimiter), PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" };
  return { command, args: [runtimeFile("python/bootstrap.py")], env };
}
