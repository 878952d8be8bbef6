import { hrefOf } from "../router.ts";

/** A tag, or a group of the server, which leads to all gateways that have it. */
export function Tag({ tag, kind = "tag" }: { readonly tag: string; readonly kind?: "tag" | "group" }) {
  return (
    <a class={`tag ${kind}`} title={`${kind} ${tag}`} href={hrefOf([], { filter: `${kind}:"${tag}"` })}>
      {tag}
    </a>
  );
}
