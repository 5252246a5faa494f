import { runtimeFile } from "./lambda/runtime-files.ts";

// They lie with Lambda's runtime, which cannot do without them.
const PRELOADS = ["node/disable-host-prefix.cjs", "node/answer-over-http.cjs"];

/** The NODE_OPTIONS with which programs that use the JavaScript SDK reach the local accounts, labels before the host included. */
export const nodeOptions = (): string => PRELOADS.map((name) => `--require ${JSON.stringify(runtimeFile(name))}`).join(" ");

/** A credential helper of Git that signs in to CodeCommit with the keys of its environment, as a command for Git's configuration. */
export const gitCredentialHelper = (): string =>
  `!${[process.execPath, runtimeFile("node/git-credential.cjs")].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")}`;
