export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "good" | "bad";
}

/** What just happened; read out by screen readers. */
export function Notices({ notices }: { readonly notices: readonly Notice[] }) {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map(({ id, text, kind }) => (
        <p key={id} class={`notice ${kind}`}>
          {text}
        </p>
      ))}
    </div>
  );
}
