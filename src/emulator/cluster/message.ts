import { z } from "zod";

/** What the processes of one database tell each other: that something happened, not what; each looks for itself. */
export const messageSchema = z.discriminatedUnion("kind", [
  /** Values of a client have changed. */
  z.object({
    kind: z.literal("values"),
    clientId: z.number(),
    aliases: z.array(z.string()),
    by: z.enum(["device", "owner", "server"]),
  }),
  /** Something happened to a client, such as that its CIK is void. */
  z.object({ kind: z.literal("client"), clientId: z.number() }),
  /** These have spoken. */
  z.object({ kind: z.literal("seen"), clientIds: z.array(z.number()) }),
  z.object({ kind: z.literal("roster") }),
  z.object({ kind: z.literal("content"), product: z.string() }),
  z.object({ kind: z.literal("command"), id: z.string() }),
  z.object({ kind: z.literal("rollout"), id: z.string() }),
  /** Messages were lost: anything may have changed. */
  z.object({ kind: z.literal("everything") }),
]);

export type Message = z.infer<typeof messageSchema>;
