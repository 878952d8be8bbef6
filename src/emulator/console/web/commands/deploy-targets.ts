import type { Gateway } from "../../../fleet/gateway.ts";
import type { Content } from "../types.ts";

export interface DeployTargets {
  readonly chosen: readonly Gateway[];
  /** Of the filter's, how many belong to other products and cannot have this one's content. */
  readonly others: number;
  /** How many run the very version. */
  readonly same: number;
  /** How many have not taken their last command. */
  readonly pending: number;
}

/** Whom a package goes to, of those that a filter chose. */
export function deployTargets(
  gateways: readonly Gateway[],
  product: string,
  content: Pick<Content, "app" | "version"> | undefined,
): DeployTargets {
  const chosen = gateways.filter((gateway) => gateway.product === product && gateway.status === "activated");
  const hasIt = ({ apps }: Gateway) =>
    apps.some(({ name, version }) => name === content?.app && version === content.version);
  return {
    chosen,
    others: gateways.filter((gateway) => gateway.product !== product).length,
    same: chosen.filter(hasIt).length,
    pending: chosen.filter(({ pending }) => pending !== undefined).length,
  };
}
