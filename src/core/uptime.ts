/** A running time as supervisord and field dashboards print it: `1:02:51`, `1 day, 1:02:51`, `12 days, 0:00:05`. */
export function formatUptime(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(total / 86_400);
  const hours = Math.floor((total % 86_400) / 3600);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${hours}:${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  if (days === 0) return clock;
  return `${days} day${days === 1 ? "" : "s"}, ${clock}`;
}
