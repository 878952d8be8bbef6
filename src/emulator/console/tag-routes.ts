import * as z from "zod/mini";
import { isTag, tagsOf, withTags } from "../../core/tags.ts";
import { HttpProblem } from "../errors.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxBulkBytes } from "../limits.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Owner } from "../store/types.ts";
import { operatorRoute, parseBody } from "./api-route.ts";
import { chosenGateways, gatewayChoice } from "./choose-gateways.ts";

/** More help nobody, and rows are sent to every browser. */
const maxTags = 32;

const tag = z.string().check(
  z.refine(isTag, {
    error: "a tag has at most 64 characters, no space, comma, semicolon, quote, * or ?, and no - in front",
  }),
);

const change = gatewayChoice({
  add: z._default(z.array(tag).check(z.maxLength(maxTags)), []),
  remove: z._default(z.array(z.string()).check(z.maxLength(1000)), []),
});

/** Tags of gateways (docs/console.md, "Tags"). */
export function tagRoutes(parts: RouteParts): readonly Route[] {
  return [
    operatorRoute(
      parts,
      "POST",
      "tags",
      async (owner, call) => changeTags(parts, owner, parseBody(change, call)),
      { maxBodyBytes: maxBulkBytes },
    ),
  ];
}

async function changeTags(parts: RouteParts, owner: Owner, given: z.infer<typeof change>): Promise<Reply> {
  const entries = await chosenGateways(parts, owner, given);
  const changed = await parts.store.serials.changeExtra(
    entries.map(({ clientId }) => clientId),
    (extra) => {
      const after = withTags(extra, given);
      if (after !== extra && tagsOf(after).length > maxTags) {
        throw new HttpProblem(409, `a gateway has at most ${maxTags} tags`);
      }
      return after;
    },
  );
  if (changed > 0) parts.changes.announce({ kind: "roster" });
  return json(200, { changed });
}
