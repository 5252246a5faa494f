import type { ListExportsInput, ListExportsOutput, ListImportsInput, ListImportsOutput } from "@aws-sdk/client-cloudformation";
import { type AnyOperation, operation } from "../../gateway/service.ts";
import type { CloudFormation } from "../cloudformation.ts";
import { validationError } from "../engine/errors.ts";
import { pageOf } from "../page.ts";

const PAGE = 100;

/** The operations on exports. */
export function exportOperations({ store }: CloudFormation): Readonly<Record<string, AnyOperation>> {
  return {
    ListExports: operation<ListExportsInput, ListExportsOutput>({
      access: () => [{ action: "cloudformation:ListExports", resource: "*" }],
      run({ NextToken }, call) {
        const { items, next } = pageOf(store.exports.list(call), { token: NextToken, size: PAGE });
        const Exports = items.map(({ name, value, stackId }) => ({ ExportingStackId: stackId, Name: name, Value: value }));
        return { Exports, ...(next !== undefined && { NextToken: next }) };
      },
    }),
    ListImports: operation<ListImportsInput, ListImportsOutput>({
      access: () => [{ action: "cloudformation:ListImports", resource: "*" }],
      run({ ExportName = "", NextToken }, call) {
        const names = store.imports.of(call, ExportName).map((id) => store.stacks.get(id)?.name ?? id);
        if (names.length === 0) throw validationError(`Export '${ExportName}' is not imported by any stack.`);
        const { items, next } = pageOf(names, { token: NextToken, size: PAGE });
        return { Imports: [...items], ...(next !== undefined && { NextToken: next }) };
      },
    }),
  };
}
