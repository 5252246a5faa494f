declare module "asl-validator" {
  interface Problem {
    readonly message?: string;
    readonly instancePath?: string;
    readonly Message?: string;
    readonly "Error code"?: string;
    readonly schemaError?: { readonly instancePath: string; readonly schemaPath: string };
  }
  /** Changes the definition it is given. */
  function validate(
    definition: object,
    options?: { readonly checkPaths: boolean; readonly checkArn: boolean },
  ): { readonly isValid: boolean; readonly errors: readonly Problem[] };
  export = validate;
}
