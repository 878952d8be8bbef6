import type { ComponentChildren } from "preact";

/** Text in its own lines, which scrolls where it does not fit: by the keyboard too. */
export function Block({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="block" tabIndex={0} aria-label={label}>
      <pre>{children}</pre>
    </section>
  );
}
