/** Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/** As Prometheus counts it: each bucket holds what is at most its bound. */
export interface Histogram {
  readonly buckets: readonly { readonly upToS: number; readonly count: number }[];
  readonly sumS: number;
  readonly count: number;
}

export function by(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([key, value]): Sample => [{ [label]: key }, value]);
}

export function gauge(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, "gauge", help, samples);
}

export function counter(name: string, help: string, samples: readonly Sample[]): string {
  return family(name, "counter", help, samples);
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => line(name, labels, value));
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

export function histogram(name: string, help: string, { buckets, sumS, count }: Histogram): string {
  const lines = [
    ...buckets.map((bucket) => line(`${name}_bucket`, { le: String(bucket.upToS) }, bucket.count)),
    line(`${name}_bucket`, { le: "+Inf" }, count),
    line(`${name}_sum`, {}, sumS),
    line(`${name}_count`, {}, count),
  ];
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join("")}`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
