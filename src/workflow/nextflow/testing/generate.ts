import { MODULE_HEAD, PARAMETERS, containerForms, registryForms, settingForms, type Dice } from "./forms.ts";

/** Random pipelines of which Nextflow accepts every one: the same seed gives the same files. */

function dice(seed: number): Dice {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  return { below, once: (n) => below(n) === 0, pick: (items) => items[below(items.length)]! };
}

const LABELS = ["small", "large", "gpu", "process_high"] as const;
const HOSTS = ["", "", "biocontainers/", "quay.io/biocontainers/", "community.wave.seqera.io/library/", "localhost:5000/"] as const;

interface Component {
  readonly name: string;
  readonly path: string;
}

/** The files of a pipeline with processes, subworkflows, aliases, selectors and profiles. */
export function generatePipeline(seed: number): Readonly<Record<string, string>> {
  const random = dice(seed);
  const files: Record<string, string> = {};
  const processes: Component[] = [];
  for (let at = 0; at < 3 + random.below(5); at++) {
    const path = `modules/m${at}${random.pick(["", "/main"])}.nf`;
    const names = random.once(3) ? [`P${at}`, `P${at}_EXTRA`] : [`P${at}`];
    files[path] = moduleText(names, random);
    for (const name of names) processes.push({ name, path });
  }
  const known: Component[] = [...processes];
  const used: string[] = [];
  for (let at = 0; at < 1 + random.below(4); at++) {
    const path = `subworkflows/s${at}.nf`;
    files[path] = workflowText({ name: `SUB${at}`, from: path, known, used }, random);
    known.push({ name: `SUB${at}`, path });
  }
  files["main.nf"] = workflowText({ name: "", from: "main.nf", known: [...known].reverse(), used }, random);
  files["nextflow.config"] = configText({ names: [...new Set([...processes.map(({ name }) => name), ...used])], files }, random);
  return files;
}

const image = (name: string, random: Dice): string =>
  `${random.pick(HOSTS)}${name.toLowerCase()}:${1 + random.below(3)}.${random.below(10)}`;

function moduleText(names: readonly string[], random: Dice): string {
  const head = random.once(2) ? `def own_tag = '7.${random.below(9)}'\n` : "own_tag = params.flag ? 'on' : \"off-${params.tag}\"\n";
  return head + MODULE_HEAD + names.map((name) => processText(name, random)).join("\n");
}

function processText(name: string, random: Dice): string {
  const labels = LABELS.filter(() => random.once(3))
    .map((label) => `    label '${label}'\n`)
    .join("");
  return `process ${name}${random.once(8) ? "()" : ""} {\n    tag "x"\n${labels}${containerText(name, random)}\n    script:\n    """\n    echo \${task.process} \\$HOME '{'\n    """\n}\n`;
}

function containerText(name: string, random: Dice): string {
  const one = image(name, random);
  const two = image(`${name}_alt`, random);
  const forms = [
    `    container '${one}'`,
    `    container "${one}"`,
    `    container "\${ workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container ?\n        'https://depot.galaxyproject.org/singularity/x:1' :\n        '${one}' }"`,
    `    container "\${ workflow.containerEngine in ['singularity', 'apptainer'] ? 'oras://x.org/y:1' : '${one}' }"`,
    `    container "\${params.flag ? '${one}' : '${two}'}"`,
    `    container "\${workflow.containerEngine == 'singularity' ? 'https://x.org/a.sif' : params.flag ? '${one}' : params.tag == '1' ? '${two}' : 'third:3'}"`,
    `    container "${random.pick(HOSTS)}${name.toLowerCase()}:\${params.tag}"`,
    `    container { params.flag ? '${one}' : "${two}-\${params.tag}" }`,
    `    if (params.flag) {\n        container '${one}'\n    } else {\n        container '${two}'\n    }`,
    `    container params.map.${random.pick(["first", "second"])}`,
    `    container "\${task.ext.image ?: '${one}'}"`,
    `    container "${name.toLowerCase()}:$own_tag"`,
    "",
    ...containerForms(name, one, two),
  ];
  return random.pick(forms);
}

interface WorkflowPlan {
  readonly name: string;
  readonly from: string;
  readonly known: readonly Component[];
  readonly used: string[];
}

function workflowText({ name, from, known, used }: WorkflowPlan, random: Dice): string {
  const chosen = known.filter((_, at) => at === 0 || random.once(2));
  const lines: string[] = [];
  const calls: string[] = [];
  for (const { name: component, path } of chosen) {
    const aliases = [component, ...(random.once(3) ? [`${component}_${name === "" ? "MAIN" : name}`] : [])].slice(random.once(5) ? -1 : 0);
    const relative =
      (from.includes("/") ? "../" : "./") +
      (random.once(2) ? path.replace(/\.nf$/, "") : path).replace(/\/main$/, random.once(2) ? "" : "/main");
    const parts = aliases.map((alias) => (alias === component ? alias : `${component} as ${alias}`));
    const added = random.once(6) ? ` addParams(tag: '5', flag: ${random.pick(["true", "false"])})` : "";
    if (added !== "") lines.push(`include { ${parts.join("\n    ")} } from '${relative}'${added}`);
    else if (random.once(2)) lines.push(`include { ${parts.join("; ")} } from '${relative}'`);
    else for (const part of parts) lines.push(`include { ${part} } from "${random.once(3) ? `\${projectDir}/${path}` : relative}"`);
    for (const alias of aliases) calls.push(`    ${alias}()`);
    used.push(...aliases);
  }
  return `${lines.join("\n")}\n\nworkflow ${name}${name === "" ? "" : " "}{\n    main:\n${calls.join("\n")}\n}\n`;
}

interface ConfigPlan {
  readonly names: readonly string[];
  readonly files: Record<string, string>;
}

function configText({ names, files }: ConfigPlan, random: Dice): string {
  files["conf/modules.config"] = `process {\n${selectors(names, random)}}\n`;
  files["conf/inner.config"] = selectors(names, random);
  const registry = random.pick([
    "",
    "docker.registry = 'quay.io'\n",
    'docker {\n    registry = "reg.example.org/team/"\n}\n',
    "docker.registry = params.registry\n",
    ...registryForms,
  ]);
  return [
    `params {\n    flag = ${random.pick(["true", "false"])}\n    tag = '${random.below(3)}'\n    registry = 'r.example.org'\n    map = [first: 'map/first:1', second: "map/second:\${params.tag}"]\n${PARAMETERS}}\n`,
    registry,
    random.once(3) ? "process.container = 'fallback/image:1'\n" : "",
    random.once(2)
      ? `profiles {\n    standard { params.tag = '9' }\n    other {\n        process {\n${selectors(names, random)}        }\n        params.flag = true\n    }\n}\n`
      : "profiles {\n    other { params.tag = '8' }\n}\n",
    "includeConfig 'conf/modules.config'\n",
    random.once(2) ? `if (params.flag) {\n    process {\n${selectors(names, random)}    }\n}\n` : "",
    random.once(3) ? "includeConfig params.flag ? 'conf/inner.config' : '/dev/null'\n" : "",
    random.once(3) ? `process.'withName:${random.pick(names)}'.container = "dotted/one:\${params.tag}"\n` : "",
    random.once(2) ? `process {\n    includeConfig "\${projectDir}/conf/inner.config"\n${selectors(names, random)}}\n` : "",
  ].join("\n");
}

function selectors(names: readonly string[], random: Dice): string {
  const count = 1 + random.below(4);
  return Array.from({ length: count }, () => `    ${selector(names, random)} {\n        ${setting(names, random)}\n    }\n`).join("");
}

function selector(names: readonly string[], random: Dice): string {
  const name = random.pick(names);
  const other = random.pick(names);
  const forms = [
    `withName: ${name}`,
    `withName: '${name}'`,
    `withName:'${name}|${other}'`,
    `withName: '.*:${name}'`,
    `withName: "SUB0:${name}"`,
    `withName: '.*SUB.*:${name}'`,
    `withName: '!${name}'`,
    `withName: '(.+:)?${name}'`,
    `withName: '${name}.*'`,
    `withLabel: ${random.pick(LABELS)}`,
    `withLabel: '${random.pick(LABELS)}|${random.pick(LABELS)}'`,
    `withLabel: '!${random.pick(LABELS)}'`,
    `'withName:${name}'`,
    `withLabel: 'process_.*'`,
    `withName: '${name.slice(0, -1)}[${name.slice(-1)}X]'`,
  ];
  return random.pick(forms);
}

function setting(names: readonly string[], random: Dice): string {
  const one = image(`cfg_${random.pick(names)}`, random);
  const forms = [
    `container = '${one}'`,
    `container = "${one}-\${params.tag}"`,
    `container = { "${one}-\${params.tag}" }`,
    `container = params.flag ? '${one}' : 'cfg/else:1'`,
    `container = { params.flag ? '${one}' : 'cfg/closure:1' }`,
    `cpus = 2`,
    `ext.image = 'ext/${random.below(5)}:1'`,
    `ext.args = '--x'`,
    `memory = { 2.GB * task.attempt }`,
    ...settingForms(one),
  ];
  return random.pick(forms);
}
