import { posix } from "node:path";
import type { Instruction } from "./dockerfile.ts";
import { splitPairs, splitWords } from "./dockerfile-words.ts";
import type { Stage } from "./stage.ts";

/** An instruction whose argument is wrong; the message says what to write. */
export class WrongArgument extends Error {
  override readonly name = "WrongArgument";
}

/** Replaces the variables of a stage in a text. */
export type Expand = (text: string) => string;

type Apply = (stage: Stage, instruction: Instruction, expand: Expand) => void;

/** The instructions that change nothing but the configuration. */
export const CONFIG_INSTRUCTIONS: Readonly<Record<string, Apply>> = {
  ENV: (stage, { text }, expand) => {
    // All values of one instruction see the variables as they were before it.
    const pairs = splitPairs(text).map(([name, value]) => [expand(name), expand(value)] as const);
    for (const [name, value] of pairs) {
      if (name === "") throw new WrongArgument(`write ENV name=value, not "ENV ${text}"`);
      const [before, entry] = [stage.config.Env ?? [], `${name}=${value}`];
      const isKnown = before.some((one) => one.startsWith(`${name}=`));
      stage.config.Env = isKnown ? before.map((one) => (one.startsWith(`${name}=`) ? entry : one)) : [...before, entry];
    }
  },
  LABEL: (stage, { text }, expand) => {
    const labels = splitPairs(text).map(([name, value]) => [expand(name), expand(value)] as const);
    stage.config.Labels = { ...stage.config.Labels, ...Object.fromEntries(labels) };
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
    stage.config.StopSignal = expand(text);
  },
  EXPOSE: (stage, { text }, expand) => {
    const ports = splitWords(text)
      .flatMap((word) => splitWords(expand(word)))
      .flatMap(portsOf);
    stage.config.ExposedPorts = {
      ...stage.config.ExposedPorts,
      ...Object.fromEntries(ports.map((port) => [port, {}])),
    };
  },
  VOLUME: (stage, { text, json }, expand) => {
    const volumes = (json ?? splitWords(text)).map(expand);
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

const shellOf = (stage: Stage): readonly string[] => stage.config.Shell ?? ["/bin/sh", "-c"];

/** Every port of a range by itself. */
function portsOf(text: string): readonly string[] {
  const [, first = "", last = first, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || to < from || to > LAST_PORT) throw new WrongArgument(`"${text}" is not a port: write 80, 80/udp or 8000-8010`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${protocol.toLowerCase()}`);
}

const LAST_PORT = 65_535;

function healthcheckOf({ text, flags }: Instruction): Readonly<Record<string, unknown>> {
  if (/^NONE$/i.test(text.trim())) return { Test: ["NONE"] };
  const [, command = ""] = /^CMD\s+([\s\S]+)$/i.exec(text) ?? [];
  if (command === "") throw new WrongArgument("write HEALTHCHECK NONE, or HEALTHCHECK [options] CMD command");
  const list = command.startsWith("[") ? (JSON.parse(command) as readonly string[]) : undefined;
  // The shell is the one that the container has, also after SHELL.
  const test = list ? ["CMD", ...list] : ["CMD-SHELL", command];
  const durations = Object.entries(DURATIONS).flatMap(([flag, member]) =>
    flags[flag] === undefined ? [] : [[member, nanoseconds(flags[flag])]],
  );
  const retries = flags["retries"] === undefined ? [] : [["Retries", Number(flags["retries"])]];
  return { Test: test, ...Object.fromEntries([...durations, ...retries]) };
}

const DURATIONS: Readonly<Record<string, string>> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A Go duration (`1m30s`) in nanoseconds, as image configurations have it. */
function nanoseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new WrongArgument(`"${text}" is not a duration: write 30s or 1m30s`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
}
