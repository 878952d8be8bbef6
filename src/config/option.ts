import * as z from "zod/mini";

/** One key of a configuration file: where it stands, what it may hold, what an empty one means. */
export interface Option<Value> {
  readonly key: string;
  /** From the text in the file; `''` has been turned into the empty string and never gets here. */
  readonly schema: z.ZodMiniType<Value, string>;
  readonly fallback: Value;
  /** For a person: what is allowed. */
  readonly expected: string;
}

export type OptionsOf<Section> = { readonly [Name in keyof Section]: Option<Section[Name]> };

/** Without sign, point or exponent. */
export const wholeNumber = (min: number, max: number) =>
  z.pipe(
    z.pipe(z.string().check(z.regex(/^\d{1,10}$/)), z.transform(Number)),
    z.number().check(z.minimum(min), z.maximum(max)),
  );

export const seconds = (key: string, max: number, fallback: number): Option<number> => ({
  key,
  schema: wholeNumber(1, max),
  fallback,
  expected: `a whole number of seconds from 1 to ${max}`,
});

export const oneOf = <Name extends string>(
  key: string,
  names: readonly Name[],
  fallback: Name,
): Option<Name> => ({
  key,
  schema: z.pipe(z.string(), z.enum(names)),
  fallback,
  expected: `one of ${names.join(", ")}`,
});

export const yesOrNo = (key: string, fallback: boolean): Option<boolean> => ({
  key,
  schema: z.pipe(
    z.pipe(z.string(), z.enum(["true", "false"])),
    z.transform((value) => value === "true"),
  ),
  fallback,
  expected: "true or false",
});
