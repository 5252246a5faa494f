import { z } from "zod";
import { DeployConfig } from "./deploy-config.ts";
import { OmxYaml } from "./omx-yaml.ts";

/** JSON Schemas (2020-12) of the two files that people write, by the names under which `docs/schemas` has them: for editors. */
export const SCHEMAS: Readonly<Record<string, () => object>> = {
  "omx.schema.json": () => ({ ...z.toJSONSchema(OmxYaml, { io: "input" }), title: "omx.yaml: a workflow that omx releases" }),
  "omx.deploy.schema.json": () => ({
    ...z.toJSONSchema(DeployConfig, { io: "input" }),
    title: "omx.deploy.yaml: where omx is deployed, and which workflows it releases",
  }),
};

/** A schema as its file holds it. */
export const schemaText = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`;
