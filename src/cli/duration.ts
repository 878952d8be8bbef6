/** As the field's dashboards know it: `H:MM:SS`, from one day on `1 day, H:MM:SS`, `N days, H:MM:SS`. */
export function formatDuration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(total / 86_400);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${Math.floor((total % 86_400) / 3600)}:${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  if (days === 0) return clock;
  return `${days} day${days === 1 ? "" : "s"}, ${clock}`;
}
