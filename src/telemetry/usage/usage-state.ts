import * as z from "zod/mini";

const bytes = z.number().check(z.gte(0));

const consumerSchema = z.object({
  totalRx: bytes,
  /** Of the largest single request. */
  maxRx: bytes,
  totalTx: bytes,
  maxTx: bytes,
  requests: z.number().check(z.gte(0)),
});

const interfaceSchema = z.object({
  /** Unix seconds: what is counted here flowed after it. */
  since: z.number(),
  /** Where nobody knew the time when counting began: when that was by the boot's clock. */
  undated: z.optional(z.object({ bootId: z.string(), sinceBootMs: z.number() })),
  /** By the kernel's counters: the traffic of all programs. */
  rx: bytes,
  tx: bytes,
  /** The kernel's counters when they were last read; undefined until they have been. */
  counters: z.optional(z.object({ ifindex: z.number(), rx: bytes, tx: bytes })),
  consumers: z.record(z.string(), consumerSchema),
});

const stateSchema = z.object({
  /** Boot in which the kernel's counters were last read; undefined before the first reading. */
  bootId: z.optional(z.string()),
  interfaces: z.record(z.string(), interfaceSchema),
});

export type ConsumerUsage = Readonly<z.infer<typeof consumerSchema>>;
export type InterfaceUsage = Readonly<z.infer<typeof interfaceSchema>>;
/** What has flowed so far, by interface. Plain data, as it is kept on disk. */
export type UsageState = Readonly<z.infer<typeof stateSchema>>;

export const noUsage: UsageState = { interfaces: {} };

/** What another version wrote, or damage left, counts as nothing: counting begins anew. */
export function parseUsageState(kept: unknown): UsageState {
  const parsed = stateSchema.safeParse(kept);
  return parsed.success ? parsed.data : noUsage;
}
