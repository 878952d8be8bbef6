import { operatorRoute, parseBody, queryNumber } from "../console/api-route.ts";
import { chooseGateways } from "../console/choose-gateways.ts";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Owner } from "../store/types.ts";
import { planOf, rolloutRequest } from "./request.ts";
import type { Rollout } from "./rollout.ts";
import { shownRollout } from "./shown-rollout.ts";
import { type RolloutAction, type TargetState, targetStates } from "./states.ts";
import { canBeUndone, packagesOf } from "./undo.ts";

const maxPage = 10_000;
const actions: readonly RolloutAction[] = ["pause", "resume", "abort", "roll-back"];

/** Roll-outs below `/console/api/` (docs/rollouts.md, "HTTP interface"). */
export function rolloutRoutes(parts: RouteParts): readonly Route[] {
  const { rollouts, store } = parts;
  return [
    operatorRoute(parts, "GET", "rollouts", async (owner) => {
      const all = await store.rollouts.list(owner.id, rollouts.times());
      return json(200, { rollouts: all.map(shownRollout) });
    }),
    operatorRoute(parts, "POST", "rollouts", (owner, call) => create(parts, owner, call)),
    operatorRoute(parts, "GET", "rollouts/*", async (owner, call) =>
      json(200, { rollout: shownRollout(await requireRollout(parts, owner, call)) }),
    ),
    operatorRoute(parts, "GET", "rollouts/*/gateways", (owner, call) => gateways(parts, owner, call)),
    ...actions.map((action) =>
      operatorRoute(parts, "POST", `rollouts/*/${action}`, (owner, call) => act(parts, owner, call, action)),
    ),
  ];
}

async function create(parts: RouteParts, owner: Owner, call: Call): Promise<Reply> {
  const { plan, waves } = planOf(parseBody(rolloutRequest, call));
  const chosen = await chooseGateways(parts, owner, plan.filter);
  if (chosen.length === 0) throw new HttpProblem(409, "no gateway matches");
  const products = new Set(chosen.map(({ gateway }) => gateway.product));
  for (const product of products) await requireContents(parts, product, plan.command);
  const rollout = await parts.rollouts.create(
    plan,
    waves,
    owner.id,
    chosen.map(({ clientId, gateway: { rid, product, sn } }) => ({ clientId, rid, product, sn })),
  );
  return json(201, { rollout: shownRollout(rollout) });
}

/** A misspelt package would fail on every gateway of the first wave. @throws HttpProblem 409 */
async function requireContents(
  parts: RouteParts,
  product: string,
  command: Rollout["command"],
): Promise<void> {
  const model = await parts.store.models.find(product);
  for (const { file } of packagesOf(command)) {
    const content = model && (await parts.store.content.find(model.id, file));
    if (content?.blob === undefined) throw new HttpProblem(409, `product ${product} has no content ${file}`);
  }
}

/** @throws HttpProblem 404 */
async function requireRollout({ store, rollouts }: RouteParts, owner: Owner, call: Call): Promise<Rollout> {
  const rollout = await store.rollouts.find(call.param(0), rollouts.times());
  if (rollout?.ownerId !== owner.id) throw new HttpProblem(404, "no such roll-out");
  return rollout;
}

async function gateways(parts: RouteParts, owner: Owner, call: Call): Promise<Reply> {
  const { id } = await requireRollout(parts, owner, call);
  const state = call.query.get("state");
  if (state !== undefined && !targetStates.includes(state as TargetState)) {
    throw new HttpProblem(400, `state is one of ${targetStates.join(", ")}`);
  }
  const page = {
    offset: Math.floor(queryNumber(call, "offset", 0)),
    limit: Math.floor(queryNumber(call, "limit", 100, maxPage)),
  };
  const { targets, total } = await parts.store.rollouts.targets(id, state as TargetState | undefined, page);
  return json(200, { gateways: targets, total });
}

async function act(parts: RouteParts, owner: Owner, call: Call, action: RolloutAction): Promise<Reply> {
  const { id, state, command } = await requireRollout(parts, owner, call);
  if (action === "roll-back" && !canBeUndone(command)) {
    throw new HttpProblem(409, "only a roll-out that installs, and does nothing else, can be rolled back");
  }
  if (!(await parts.rollouts.act(id, action))) {
    throw new HttpProblem(409, `a roll-out that is ${state} takes no '${action}'`);
  }
  return json(200, { rollout: shownRollout(await requireRollout(parts, owner, call)) });
}
