import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import type { Console } from "../console.ts";
import { consoleAs, prepare } from "./release.ts";

/** Local accounts, and the console as two people have it. */
export interface Consoles extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly approver: Console;
  readonly developer: Console;
}

export async function startConsoles(): Promise<Consoles> {
  const accounts = await startAccounts();
  await prepare(accounts);
  const [approver, developer] = await Promise.all([consoleAs(accounts, "approver"), consoleAs(accounts, "developer")]);
  return {
    accounts,
    approver,
    developer,
    async [Symbol.asyncDispose]() {
      await Promise.all([approver.close(), developer.close()]);
      await accounts[Symbol.asyncDispose]();
    },
  };
}

/** The page of a release as a browser without scripts has it: its text, its cookie and the token of its form. */
export interface OpenedRelease {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly cookie: string;
  readonly csrf: string;
}

export async function openRelease(console: Console, workflow: string, id: string): Promise<OpenedRelease> {
  const answer = await fetch(`${console.url}/releases/${workflow}/${id}`);
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    headers: answer.headers,
    cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "",
    csrf: /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "",
  };
}

/** What the form of a release's page sends, with further headers. */
export interface Answer {
  readonly verdict: string;
  readonly comment: string;
  readonly csrf?: string;
  readonly headers?: Record<string, string>;
}

/** Sends the form. @param where `<workflow>/<id>` */
export const answerRelease = (
  console: Console,
  where: string,
  { cookie }: OpenedRelease,
  { headers, ...fields }: Answer,
): Promise<Response> =>
  fetch(`${console.url}/releases/${where}/decision`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { cookie, origin: console.url, ...headers },
    redirect: "manual",
  });
