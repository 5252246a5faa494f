import { expect, test } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { RegistryError } from "../../oci/errors.ts";
import { waitTeller } from "../../release/images/waits.ts";
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
    await using progress = openProgress({ clock, say: (line) => void said.push(line) }, 4);
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
  expect(said).toEqual(["  … 0 of 4 images, 1.5 MB moved, 15 s; under way: a, b, c and 1 more", "  PULLED   a 16.0 s", "  … 1 of 4 images, 1.5 MB moved, 30 s; under way: b, c, d", "  … looked 15 s"]);
});

test("many requests that wait for one registry are one line; short waits are none", async () => {
  const { clock, pass } = steppedClock();
  const said: string[] = [];
  const onWait = waitTeller({ clock, say: (line) => void said.push(line) });
  const wait = (registry: string, ms: number) => onWait({ registry, ms, failure: new RegistryError({ kind: "throttled", registry, doing: "read x", says: "slow down" }) });
  for (let request = 0; request < 12; request += 1) wait("quay.io", 8000 + request);
  wait("ghcr.io", 400);
  wait("ghcr.io", 2000);
  onWait({ registry: "gcr.io", ms: 200, failure: new RegistryError({ kind: "unavailable", registry: "gcr.io", doing: "read x", says: "no answer", code: "UND_ERR_HEADERS_TIMEOUT" }) });
  await pass(8000);
  wait("quay.io", 9000);
  expect(said.map((line) => line.replace(/: .*? (is asked)/, " $1"))).toEqual([
    "  WAITING  8 s, then again is asked too often (read x): slow down", "  WAITING  2 s, then again is asked too often (read x): slow down",
    "  WAITING  1 s, then again: gcr.io does not answer (read x), UND_ERR_HEADERS_TIMEOUT: no answer", "  WAITING  9 s, then again is asked too often (read x): slow down",
  ]);
});
