import { expect, test } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { RegistryError } from "../../oci/errors.ts";
import { waitTeller } from "../../release/images/waits.ts";
import { told } from "../terminal.ts";
import { openProgress, openTicker } from "./progress.ts";

/** Sleeps end when the test lets the time pass. */
function steppedClock() {
  let nowMs = 0;
  const sleeping: { readonly at: number; readonly wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(nowMs),
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        sleeping.push({ at: nowMs + ms, wake });
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      }),
  };
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms;
    for (const { at, wake } of sleeping.splice(0)) if (at <= nowMs) wake();
    await new Promise(setImmediate);
  };
  return { clock, pass };
}

test("a pull of large images says every 15 s that it is alive, and stops with it", async () => {
  const { clock, pass } = steppedClock();
  const said: string[] = [];
  {
    await using progress = openProgress({ clock, say: (line) => void said.push(line) }, 4, true);
    for (const source of ["a", "b", "c", "d"]) progress.onCopy({ type: "started", source, target: "t" });
    progress.onCopy({ type: "bytes", source: "a", bytes: 1_500_000 });
    await pass(15_000);
    progress.onDone({ source: "a", target: "t", status: "PULLED", bytesMoved: 0, bytesSaved: 0, requests: 1, seconds: 16, reason: "" });
    await pass(15_000);
  }
  {
    await using _looking = openTicker({ clock, say: (line) => void said.push(line) }, (seconds) => `looked ${seconds} s`);
    await pass(15_000);
  }
  await pass(15_000);
  expect(said).toEqual([
    "  … 0 of 4 images, 1.5 MB moved, 15 s; under way: a, b, c and 1 more",
    "  PULLED   a 16.0 s",
    "  … 1 of 4 images, 1.5 MB moved, 30 s; under way: b, c, d",
    "  … looked 15 s",
  ]);
});

test("a log has what failed at once and no image twice; at a terminal one line tells how it stands, and is gone at the end", async () => {
  const failed = {
    source: "a",
    target: "t",
    status: "FAILED",
    bytesMoved: 0,
    bytesSaved: 0,
    requests: 1,
    seconds: 2,
    reason: "quay.io refuses access",
  } as const;
  const watch = async (isTerminal: boolean) => {
    const { clock, pass } = steppedClock();
    const seen: string[] = [];
    const say = (line: string) => void seen.push(line);
    {
      await using progress = openProgress(
        { clock, say, ...(isTerminal && { show: (line: string) => void seen.push(`<${line}>`) }) },
        3,
        false,
      );
      for (const source of ["a", "b", "c"]) progress.onCopy({ type: "started", source, target: "t" });
      progress.onDone({ ...failed, status: "PULLED", source: "b", reason: "" });
      progress.onDone(failed);
      await pass(1000);
    }
    await pass(15_000);
    return seen;
  };
  expect(await watch(false)).toEqual(["  FAILED   a 2.0 s: quay.io refuses access"]);
  expect(await watch(true)).toEqual([
    "<  … 0 of 3 images, 0 B moved, 0 s>",
    "<  … 2 of 3 images, 1 failed, 0 B moved, 1 s; under way: c>",
    "<>",
  ]);
});

test("at a terminal what is said stands above the line that tells how it stands, which never wraps", () => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 20, write: (text: string) => void written.push(text) };
  const { say, show } = told(stream, "xterm");
  say("first");
  show?.("3 of 40 images, 12 MB moved");
  say("WAITING");
  stream.columns = 60;
  show?.("4 of 40 images");
  show?.("");
  say("last");
  const empty = "\r\u001b[K";
  expect(written).toEqual([
    "first\n",
    `${empty}3 of 40 images, 12…`,
    `${empty}WAITING\n3 of 40 images, 12…`,
    `${empty}4 of 40 images`,
    empty,
    "last\n",
  ]);
  for (const plain of [told({ write: stream.write }, "xterm"), told(stream, "dumb")]) expect(plain.show).toBeUndefined();
});

test("many requests that wait for one registry are one line; short waits are none", async () => {
  const { clock, pass } = steppedClock();
  const said: string[] = [];
  const onWait = waitTeller({ clock, say: (line) => void said.push(line) });
  const wait = (registry: string, ms: number) =>
    onWait({ registry, ms, failure: new RegistryError({ kind: "throttled", registry, doing: "read x", says: "slow down" }) });
  for (let request = 0; request < 12; request += 1) wait("quay.io", 8000 + request);
  wait("ghcr.io", 400);
  wait("ghcr.io", 2000);
  onWait({
    registry: "gcr.io",
    ms: 200,
    failure: new RegistryError({
      kind: "unavailable",
      registry: "gcr.io",
      doing: "read x",
      says: "no answer",
      code: "UND_ERR_HEADERS_TIMEOUT",
    }),
  });
  await pass(8000);
  wait("quay.io", 9000);
  expect(said.map((line) => line.replace(/: .*? (is asked)/, " $1"))).toEqual([
    "  WAITING  8 s, then again is asked too often (read x): slow down",
    "  WAITING  2 s, then again is asked too often (read x): slow down",
    "  WAITING  1 s, then again: gcr.io does not answer (read x), UND_ERR_HEADERS_TIMEOUT: no answer",
    "  WAITING  9 s, then again is asked too often (read x): slow down",
  ]);
});
