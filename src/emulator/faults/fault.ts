import * as z from "zod/mini";

const wholeNumber = z.number().check(z.int(), z.gte(0));
const moment = z.enum(["before", "after"]);

/** Which requests a fault strikes: those that match all that is given. */
const faultMatchSchema = z.strictObject({
  /** As the request log calls it: `write`, `read`, `write-read`, `long-poll`, `activate`, `download`, … */
  procedure: z.optional(z.string()),
  method: z.optional(z.string()),
  /** Path without the query; `*` stands for any text. */
  path: z.optional(z.string()),
  /** Serial number. */
  device: z.optional(z.string()),
  product: z.optional(z.string()),
});

/** One fault: its effects may be combined. The emulator's own endpoints under `/_emulator` are never struck. */
const shape = z.strictObject({
  /** To remove it by; made up when not given. */
  id: z.optional(z.string().check(z.minLength(1))),
  match: z.optional(faultMatchSchema),
  /** How many matching requests pass unharmed first. */
  skip: z.optional(wholeNumber),
  /** How many requests it strikes before it is over; without it, until removed. */
  count: z.optional(z.number().check(z.int(), z.gte(1))),
  /** Chance of striking a matching request, drawn from the seeded generator; 1 by default. */
  probability: z.optional(z.number().check(z.gte(0), z.lte(1))),
  /** Milliseconds that the request waits before it is processed. */
  latencyMs: z.optional(wholeNumber),
  /** Destroys the connection: `before` the request is processed, or `after`, so that only the answer is lost. */
  drop: z.optional(moment),
  /** Answers this status… */
  status: z.optional(z.number().check(z.int(), z.gte(200), z.lte(599))),
  /** …instead of processing the request (`before`, the default), or after processing it. */
  statusWhen: z.optional(moment),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.optional(z.string()),
  /** Destroys the connection after this many bytes of the answer's body. */
  cutAfterBytes: z.optional(wholeNumber),
  /** Speed of the answer's body. */
  bytesPerSecond: z.optional(z.number().check(z.int(), z.gte(1))),
});

const effects = ["latencyMs", "drop", "status", "cutAfterBytes", "bytesPerSecond"] as const;
const ofStatus = ["statusWhen", "headers", "body"] as const;

/** As it comes from outside: a fault that would strike without effect is a mistake to be told. */
export const faultSchema = shape.check(
  z.refine((fault) => effects.some((key) => fault[key] !== undefined), {
    error: `expected one of ${effects.join(", ")}`,
  }),
  z.refine((fault) => fault.status !== undefined || ofStatus.every((key) => fault[key] === undefined), {
    error: `${ofStatus.join(", ")} go with a status`,
  }),
);

export type FaultMatch = z.infer<typeof faultMatchSchema>;
export type Fault = z.infer<typeof shape>;

/** What the faults that strike one request do to it, together. */
export interface Strike {
  readonly ids: readonly string[];
  readonly latencyMs: number;
  readonly drop: "before" | "after" | undefined;
  readonly answer:
    | {
        readonly when: "before" | "after";
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string | undefined;
      }
    | undefined;
  readonly cutAfterBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
}
