import { posix } from "node:path";
import type { Instruction } from "./dockerfile.ts";
import { splitWords } from "./dockerfile-words.ts";
import type { Stage } from "./stage.ts";

/** An instruction whose argument is wrong; the message says what to write. */
export class WrongArgument extends Error {
  override readonly name = "WrongArgument";
}

/** Replaces the variables of a stage in a text. */
export interface Expand {
  (text: string): string;
  /** The escape character. */
  readonly escape: string;
}

type Apply = (stage: Stage, instruction: Instruction, expand: Expand) => void;

/** The instructions that change nothing but the configuration. */
export const CONFIG_INSTRUCTIONS: Readonly<Record<string, Apply>> = {
  ENV: (stage, instruction, expand) => {
    for (const [name, value] of pairsOf(instruction, expand)) {
      const [before, entry] = [stage.config.Env ?? [], `${name}=${value}`];
      const isKnown = before.some((one) => one.startsWith(`${name}=`));
      stage.config.Env = isKnown ? before.map((one) => (one.startsWith(`${name}=`) ? entry : one)) : [...before, entry];
    }
  },
  LABEL: (stage, instruction, expand) => {
    stage.config.Labels = { ...stage.config.Labels, ...Object.fromEntries(pairsOf(instruction, expand)) };
  },
  MAINTAINER: (stage, { text }) => {
    stage.author = text;
  },
  WORKDIR: (stage, { text }, expand) => {
    const folder = expand(text);
    stage.config.WorkingDir = posix.resolve(stage.config.WorkingDir || "/", folder);
  },
  USER: (stage, { text }, expand) => {
    stage.config.User = expand(text);
  },
  STOPSIGNAL: (stage, { text }, expand) => {
    const signal = expand(text);
    if (!isSignal(signal)) throw new WrongArgument(`"${signal}" is not a signal: write its name or number, as in STOPSIGNAL SIGTERM`);
    stage.config.StopSignal = signal;
  },
  EXPOSE: (stage, { text }, expand) => {
    const ports = text
      .split(/\s+/)
      .flatMap((word) => splitWords(expand(word), expand.escape))
      // Of host:container an image knows the container's side alone.
      .flatMap((port) => portsOf(port.replace(/^.*:/, "")));
    stage.config.ExposedPorts = {
      ...stage.config.ExposedPorts,
      ...Object.fromEntries(ports.map((port) => [port, {}])),
    };
  },
  VOLUME: (stage, { text, json }, expand) => {
    const volumes = (json ?? text.split(/\s+/)).map((volume) => expand(volume.trim()));
    if (volumes.includes("")) throw new WrongArgument("a VOLUME without a name: write the folder");
    stage.config.Volumes = { ...stage.config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) };
  },
  SHELL: (stage, { text, json }) => {
    if (!json || json.length === 0) throw new WrongArgument(`write SHELL as a list: SHELL ["/bin/bash", "-c"], not "${text}"`);
    stage.config.Shell = json;
  },
  CMD: (stage, { text, json }) => {
    stage.config.Cmd = json ?? [...shellOf(stage), text];
    stage.isCommandOwn = true;
  },
  ENTRYPOINT: (stage, { text, json }) => {
    stage.config.Entrypoint = json ?? [...shellOf(stage), text];
    if (!stage.isCommandOwn) delete stage.config.Cmd;
  },
  HEALTHCHECK: (stage, instruction) => {
    stage.config.Healthcheck = healthcheckOf(instruction);
  },
  ONBUILD: (stage, { text }) => {
    if (/^(?:ONBUILD|FROM|MAINTAINER)\b/i.test(text)) throw new WrongArgument(`ONBUILD ${text.split(/\s/)[0]} is not allowed`);
    stage.config.OnBuild = [...(stage.config.OnBuild ?? []), text];
  },
};

/**
 * `a=1 b="x y"`, or the old form `a the rest of the line`, filled in: all values of one instruction see the variables as
 * they were before it.
 */
function pairsOf({ keyword, text }: Instruction, expand: Expand): readonly (readonly [string, string])[] {
  const words = splitWords(text, expand.escape);
  const [, name = "", rest] = /^(\S+)\s+([\s\S]*)$/.exec(text) ?? [];
  const pairs = words[0]?.includes("=")
    ? words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1), word.includes("=")] as const)
    : [[name, rest ?? "", rest !== undefined] as const];
  const wrong = pairs.find(([before, , isPair]) => !isPair || before === "");
  if (wrong) throw new WrongArgument(`write ${keyword} name=value, not "${keyword} ${text}"`);
  return pairs.map(([before, value]) => [expand(before), expand(value)]);
}

const SIGNALS = new Set(
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX".split(
    " ",
  ),
);

/** As moby/sys/signal knows them for Linux; real-time ones by their distance from either end. */
function isSignal(text: string): boolean {
  const name = text.toUpperCase().replace(/^SIG/, "");
  const [, up, down] = /^(?:RTMIN\+(\d+)|RTMAX-(\d+))$/.exec(name) ?? [];
  return SIGNALS.has(name) || (/^[+-]?\d+$/.test(text) ? Number(text) !== 0 : Number(up ?? 99) <= 15 || Number(down ?? 99) <= 14);
}

const shellOf = (stage: Stage): readonly string[] => stage.config.Shell ?? ["/bin/sh", "-c"];

/** Every port of a range by itself. */
function portsOf(text: string): readonly string[] {
  const [, first = "", last = first, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || to < from || to > LAST_PORT) throw new WrongArgument(`"${text}" is not a port: write 80, 80/udp or 8000-8010`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol.toLowerCase()}`);
}

const LAST_PORT = 65_535;

function healthcheckOf({ text, json, flags }: Instruction): Readonly<Record<string, unknown>> {
  if (/^NONE$/i.test(text)) return { Test: ["NONE"] };
  const [, command = ""] = /^CMD\s+([\s\S]+)$/i.exec(text) ?? [];
  if (command === "" || json?.length === 0) throw new WrongArgument("write HEALTHCHECK NONE, or HEALTHCHECK [options] CMD command");
  // The shell is the one that the container has, also after SHELL.
  const test = json ? ["CMD", ...json] : ["CMD-SHELL", command];
  const durations = Object.entries(DURATIONS).map(([flag, member]) => [member, nanoseconds(flags[flag] || "0")] as const);
  const options = [...durations, ["Retries", countOf(flags["retries"] || "0")] as const];
  return { Test: test, ...Object.fromEntries(options.filter(([, value]) => value > 0)) };
}

function countOf(text: string): number {
  if (!/^\+?\d+$/.test(text) || Number(text) > 2 ** 31 - 1)
    throw new WrongArgument(`--retries=${text}: write a whole number, as in --retries=3`);
  return Number(text);
}

const DURATIONS: Readonly<Record<string, string>> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

const SHORTEST = 1e6;

/** A Go duration (`1m30s`) in nanoseconds, as image configurations have it. */
function nanoseconds(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const parts = [...text.replace(/^\+/, "").matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text.replace(/^\+/, ""))
    throw new WrongArgument(`"${text}" is not a duration: write 30s or 1m30s`);
  const sum = Math.trunc(parts.reduce((all, [, amount, unit]) => all + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0));
  if (sum > 0 && sum < SHORTEST) throw new WrongArgument(`"${text}" is too short: a millisecond (1ms) is the least`);
  return sum;
}
