import * as z from "zod/mini";
import { HttpProblem } from "../errors.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxBulkBytes, maxValueBytes } from "../limits.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { CommandRecord } from "../store/operators.ts";
import type { Owner } from "../store/types.ts";
import { operatorRoute, parseBody } from "./api-route.ts";
import { chosenGateways, gatewayChoice } from "./choose-gateways.ts";

const shownCommands = 100;

/** The gateway judges what it is told; here only what could not be a command at all is refused. */
const command = z
  .record(z.string(), z.unknown())
  .check(
    z.refine((value) => Object.keys(value).some((key) => key !== "id"), { error: "the command is empty" }),
  );

const order = gatewayChoice({ command });

/** Commands to gateways, and what became of them (docs/console.md, "Commands"). */
export function commandRoutes(parts: RouteParts): readonly Route[] {
  return [
    operatorRoute(
      parts,
      "POST",
      "commands",
      async (owner, call) => give(parts, owner, parseBody(order, call)),
      { maxBodyBytes: maxBulkBytes },
    ),
    operatorRoute(parts, "GET", "commands", async (owner) => {
      const commands = await parts.commands.list(owner.id, shownCommands);
      return json(200, { commands: commands.map(shownCommand) });
    }),
    operatorRoute(parts, "GET", "commands/*", async (owner, call) => show(parts, owner, call.param(0))),
  ];
}

async function give(parts: RouteParts, owner: Owner, given: z.infer<typeof order>): Promise<Reply> {
  if (JSON.stringify(given.command).length > maxValueBytes - 100) {
    throw new HttpProblem(413, `a command holds at most ${maxValueBytes} bytes`);
  }
  const entries = await chosenGateways(parts, owner, given);
  const id = await parts.commands.give(
    owner.id,
    entries.map(({ clientId }) => clientId),
    given.command,
  );
  const reply = await show(parts, owner, id);
  return { ...reply, status: 201 };
}

async function show(parts: RouteParts, owner: Owner, id: string): Promise<Reply> {
  const found = await parts.store.commands.find(id);
  if (!found || found.ownerId !== owner.id) throw new HttpProblem(404, "no such command");
  const gateways = (await parts.store.commands.targets(id)).map(({ clientId: _, ...target }) => target);
  return json(200, { command: { ...shownCommand(found), gateways } });
}

export function shownCommand({ id, at, text, counts }: CommandRecord): Record<string, unknown> {
  const { id: _, ...content } = JSON.parse(text) as Record<string, unknown>;
  return { id, at, command: content, counts };
}
