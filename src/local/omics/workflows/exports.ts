import type { Call } from "../../gateway/service.ts";
import type { WorkflowExport } from "../../../model/generated/types.ts";
import type { Omics } from "../omics.ts";
import type { Definition } from "../store.ts";
import type { Exports } from "./describe.ts";
import { exportUrl } from "./export-links.ts";

export interface ExportRequest {
  readonly wanted: readonly WorkflowExport[];
  readonly call: Pick<Call, "endpoint">;
}

/** `export=DEFINITION` and `export=README` give links that need no signature and end after some minutes. */
export function exportsOf(omics: Omics, definition: Definition, { wanted, call }: ExportRequest): Exports {
  const link = (kind: "definition" | "readme") => `${call.endpoint}${exportUrl(omics, definition.arn, kind)}`;
  return {
    ...(wanted.includes("DEFINITION") && definition.zip !== undefined && { definition: link("definition") }),
    ...(wanted.includes("README") && definition.readme !== undefined && { readme: link("readme") }),
  };
}
