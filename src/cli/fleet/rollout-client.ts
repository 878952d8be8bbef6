import * as z from "zod/mini";
import { CommandError } from "../errors.ts";
import { parseConsoleAnswer } from "./console-answer.ts";
import { OwnerRefusedError } from "./errors.ts";
import type { OwnerHttp } from "./owner-http.ts";

const counts = z.record(z.string(), z.number());

const rollout = z.looseObject({
  id: z.string(),
  name: z.string(),
  filter: z.string(),
  command: z.record(z.string(), z.unknown()),
  createdAt: z.number(),
  state: z.string(),
  reason: z.string(),
  wave: z.number(),
  soakUntil: z.nullable(z.number()),
  waves: z.array(
    z.looseObject({
      size: z.number(),
      state: z.string(),
      counts,
      excused: z.number(),
      absent: z.number(),
    }),
  ),
  counts,
});

export type ShownRollout = z.infer<typeof rollout>;

const answers = {
  one: z.object({ rollout }),
  all: z.object({ rollouts: z.array(rollout) }),
  gateways: z.object({
    total: z.number(),
    gateways: z.array(
      z.looseObject({
        product: z.string(),
        sn: z.string(),
        wave: z.number(),
        state: z.string(),
        detail: z.string(),
      }),
    ),
  }),
};

export type RolloutGateway = z.infer<typeof answers.gateways>["gateways"][number];

const path = "/console/api/rollouts";

/** The console server's roll-outs (docs/rollouts.md, "HTTP interface"). */
export class RolloutClient {
  readonly #http: OwnerHttp;

  constructor(http: OwnerHttp) {
    this.#http = http;
  }

  async list(): Promise<readonly ShownRollout[]> {
    return (await this.#get("", answers.all)).rollouts;
  }

  async find(id: string): Promise<ShownRollout> {
    return (await this.#get(`/${encodeURIComponent(id)}`, answers.one)).rollout;
  }

  async start(request: Readonly<Record<string, unknown>>): Promise<ShownRollout> {
    const text = await this.#http.text({ method: "POST", path, json: request });
    return parseConsoleAnswer(answers.one, text).rollout;
  }

  async act(id: string, action: string): Promise<ShownRollout> {
    const text = await this.#http.text({
      method: "POST",
      path: `${path}/${encodeURIComponent(id)}/${action}`,
    });
    return parseConsoleAnswer(answers.one, text).rollout;
  }

  /** Failures first. */
  async gateways(id: string, state: string | undefined): Promise<readonly RolloutGateway[]> {
    const all: RolloutGateway[] = [];
    for (;;) {
      const query = `offset=${all.length}&limit=1000${state === undefined ? "" : `&state=${encodeURIComponent(state)}`}`;
      const { gateways, total } = await this.#get(
        `/${encodeURIComponent(id)}/gateways?${query}`,
        answers.gateways,
      );
      all.push(...gateways);
      if (all.length >= total || gateways.length === 0) return all;
    }
  }

  async #get<T extends z.ZodMiniType>(suffix: string, schema: T): Promise<z.infer<T>> {
    try {
      return parseConsoleAnswer(schema, await this.#http.text({ method: "GET", path: path + suffix }));
    } catch (error) {
      if (suffix === "" && error instanceof OwnerRefusedError && error.status === 404) {
        throw new CommandError("this server has no roll-outs: they live in the console's server", {
          cause: error,
        });
      }
      throw error;
    }
  }
}
