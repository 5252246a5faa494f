// Runs a Node handler: Lambda's runtime interface (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
import { existsSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: root, _HANDLER: handlerName, AWS_LAMBDA_LOG_FORMAT: logFormat } = process.env;
const [, host, port, base] = /^([^:]+):(\d+)(.*)$/.exec(api);
const runtimeMajor = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? "")?.[1] ?? 0);
let requestId = "";

function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path: `${base}/2018-06-01/runtime/${path}`, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

// The local accounts read both: where nobody does they have ended, and so do we. Left alone, the error would be the next thing we try to write.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(0));

// A second console over the first: every line carries time, request and level, as in CloudWatch.
const levels = { debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN", error: "ERROR", trace: "TRACE" };
for (const [method, level] of Object.entries(levels)) console[method] = (...args) => process.stdout.write(line(level, args));

function line(level, args) {
  const timestamp = new Date().toISOString();
  if (logFormat === "JSON") {
    const message = args.length === 1 && typeof args[0] === "object" && !(args[0] instanceof Error) ? args[0] : format(...args);
    return `${JSON.stringify({ timestamp, level, requestId, message })}\n`;
  }
  return `${timestamp}\t${requestId}\t${level}\t${format(...args).replaceAll("\n", "\r")}\n`;
}

const errorBody = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") }
    : { errorType: typeof error, errorMessage: format(error), trace: [] };

class RuntimeProblem extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

async function loadHandler() {
  const dot = handlerName.indexOf(".", handlerName.lastIndexOf("/") + 1);
  const [moduleName, functionName] = [handlerName.slice(0, dot), handlerName.slice(dot + 1)];
  const file = ["", ".mjs", ".js", ".cjs"]
    .map((extension) => join(root, moduleName + extension))
    .find((path) => path !== root && existsSync(path));
  if (file === undefined) throw new RuntimeProblem("Runtime.ImportModuleError", `Error: Cannot find module '${moduleName}'`);
  let loaded;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    const name =
      error instanceof SyntaxError
        ? "Runtime.UserCodeSyntaxError"
        : error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND"
          ? "Runtime.ImportModuleError"
          : error.name;
    throw Object.assign(error, { name });
  }
  const found =
    functionName.split(".").reduce((value, part) => value?.[part], loaded) ??
    functionName.split(".").reduce((value, part) => value?.[part], loaded.default);
  if (typeof found !== "function") throw new RuntimeProblem("Runtime.HandlerNotFound", `${handlerName} is undefined or not exported`);
  if (runtimeMajor >= 24 && found.length > 2)
    throw new RuntimeProblem(
      "Runtime.CallbackHandlerDeprecated",
      "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature",
    );
  return found;
}

function contextOf(headers) {
  const deadlineMs = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: requestId,
    ...(client === undefined ? {} : { clientContext: JSON.parse(client) }),
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (error, result) => (error === undefined || error === null ? resolve(result) : reject(error));
    const legacy = { ...context, done, succeed: resolve, fail: reject };
    const result = handler(event, runtimeMajor >= 24 ? context : legacy, done);
    if (typeof result?.then === "function") result.then(resolve, reject);
    else if (handler.length < 3) resolve(result);
  });
}

// The end of an invocation's output: what stands before it belongs to the invocation.
const markEnd = (id) => {
  process.stdout.write(`\u0000${id}\n`);
  process.stderr.write(`\u0000${id}\n`);
};

async function fail(path, error) {
  const body = errorBody(error);
  console.error(path === "init/error" ? "Uncaught Exception" : "Invoke Error", JSON.stringify(body));
  markEnd(requestId);
  await call("POST", path, JSON.stringify(body), { "lambda-runtime-function-error-type": body.errorType });
}

for (const kind of ["uncaughtException", "unhandledRejection"])
  process.on(kind, async (reason) => {
    const error =
      kind === "unhandledRejection"
        ? new RuntimeProblem(
            "Runtime.UnhandledPromiseRejection",
            reason instanceof Error ? `${reason.name}: ${reason.message}` : format(reason),
          )
        : reason;
    await fail(requestId === "" ? "init/error" : `invocation/${requestId}/error`, error).catch(() => undefined);
    process.exit(128);
  });

let handler;
try {
  handler = await loadHandler();
} catch (error) {
  await fail("init/error", error);
  process.exit(1);
}
for (;;) {
  // When nobody answers any more the local accounts have ended, and so do we.
  const invocation = await call("GET", "invocation/next").catch(() => process.exit(0));
  requestId = invocation.headers["lambda-runtime-aws-request-id"];
  if (requestId === undefined) process.exit(0);
  process.env._X_AMZN_TRACE_ID = invocation.headers["lambda-runtime-trace-id"] ?? "";
  try {
    const result = await run(handler, JSON.parse(invocation.body), contextOf(invocation.headers));
    const body = JSON.stringify(result) ?? "null";
    markEnd(requestId);
    await call("POST", `invocation/${requestId}/response`, body, { "content-type": "application/json" });
  } catch (error) {
    await fail(`invocation/${requestId}/error`, error);
  }
}
