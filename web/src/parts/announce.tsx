// A live region for screen readers: the answer, block by block, and how it ended.
import { create } from "zustand";

// By then it has been spoken or queued. It is removed so that reading the page from the top does not repeat the answer.
const KEPT_MILLISECONDS = 10_000;

const useAnnouncements = create<{ said: { id: number; text: string }[] }>(() => ({ said: [] }));
let count = 0;

export function announce(text: string): void {
  count += 1;
  const id = count;
  useAnnouncements.setState(({ said }) => ({ said: [...said, { id, text }] }));
  window.setTimeout(
    () => useAnnouncements.setState(({ said }) => ({ said: said.filter((one) => one.id !== id) })),
    KEPT_MILLISECONDS,
  );
}

export function Announcements() {
  const { said } = useAnnouncements();
  return (
    <div className="visually-hidden" role="log" aria-label="Live answer">
      {said.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
