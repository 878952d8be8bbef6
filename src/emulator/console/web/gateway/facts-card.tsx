import type { Gateway } from "../../../fleet/gateway.ts";
import { bytes, count, duration } from "../format.ts";

export function FactsCard({ gateway }: { readonly gateway: Gateway }) {
  const { engine, os, kernel, arch, model, ip, disk, memory, queue, traffic, interval } = gateway;
  const facts: readonly (readonly [label: string, value: string | undefined])[] = [
    ["Engine", engine],
    ["System", os],
    ["Kernel", [kernel, arch].filter(Boolean).join(", ")],
    ["Machine", model],
    ["Address", ip],
    ["Fullest file system", disk === undefined ? undefined : `${disk} %`],
    ["Memory in use", memory === undefined ? undefined : `${memory} %`],
    ["Queue", queue === undefined ? undefined : count(queue)],
    ["Traffic", traffic === undefined ? undefined : bytes(traffic)],
    ["Checks in every", interval === undefined ? undefined : duration(interval)],
    ["Device", gateway.rid],
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      <dl class="facts-list">
        {facts
          .filter(([, value]) => value !== undefined && value !== "")
          .map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
