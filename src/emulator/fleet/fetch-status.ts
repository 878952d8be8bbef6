import * as z from "zod/mini";

const app = z.object({
  name: z.catch(z.string(), ""),
  version: z.catch(z.string(), ""),
  status: z.catch(z.string(), ""),
  exit_code: z.catch(z.nullable(z.number()), null),
  started: z.catch(z.nullable(z.string()), null),
  finished: z.catch(z.nullable(z.string()), null),
  output: z.catch(z.string(), ""),
  output_cut: z.catch(z.number(), 0),
});

const report = z.object({
  id: z.catch(z.pipe(z.union([z.string(), z.number()]), z.transform(String)), ""),
  apps: z.catch(z.array(app), []),
  error: z.optional(z.catch(z.string(), "")),
});

/** How one command ended. */
export type FetchStatus = z.infer<typeof report>;

/** Reads a value of `fetch_status`; one that is no JSON (an older engine's, or by choice) is all output. */
export function parseFetchStatus(value: string): FetchStatus {
  try {
    const parsed = report.safeParse(JSON.parse(value));
    if (parsed.success) return parsed.data;
  } catch {
    // told as it is, below
  }
  const output = {
    name: "",
    version: "",
    status: "",
    exit_code: null,
    started: null,
    finished: null,
    output_cut: 0,
  };
  return { id: "", apps: [{ ...output, output: value }] };
}
