import * as z from "zod/mini";
import { maxValueBytes } from "../limits.ts";
import type { RolloutPlan } from "./rollout.ts";
import { parseWaveSize, type WaveSize } from "./waves.ts";

const week = 7 * 86_400;
const percent = z.number().check(z.gte(0), z.lte(100));
const seconds = z.number().check(z.int(), z.gte(0), z.lte(52 * week));

const command = z.record(z.string(), z.unknown()).check(
  z.refine((value) => Object.keys(value).some((key) => key !== "id"), { error: "the command is empty" }),
  // The id is added to it.
  z.refine((value) => Buffer.byteLength(JSON.stringify(value)) <= maxValueBytes - 100, {
    error: `a command holds at most ${maxValueBytes} bytes`,
  }),
);

const wave = z.string().check(
  z.refine((text) => parseWaveSize(text) !== undefined, {
    error: 'expected a share ("10%") or a count ("25")',
  }),
);

/** `POST rollouts` (docs/rollouts.md). */
export const rolloutRequest = z.strictObject({
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  filter: z.string(),
  command,
  waves: z._default(z.array(wave).check(z.minLength(1), z.maxLength(100)), ["1%", "10%", "50%", "100%"]),
  successPercent: z._default(percent, 95),
  maxFailurePercent: z._default(percent, 5),
  soakS: z._default(seconds, 600),
  absentAfterS: z._default(seconds, 86_400),
  resultWithinS: z._default(seconds.check(z.gte(1)), 3_600),
});

export function planOf(request: z.infer<typeof rolloutRequest>): {
  readonly plan: RolloutPlan;
  readonly waves: readonly WaveSize[];
} {
  const { waves, command, ...rest } = request;
  const { id: _, ...named } = command;
  return {
    plan: { ...rest, command: named },
    waves: waves.map((text) => parseWaveSize(text)).filter((size) => size !== undefined),
  };
}
