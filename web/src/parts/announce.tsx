// What a screen reader is to say: the answer, block by block, and how it ended.
import { create } from "zustand";

// As many as may come before the first of them is read.
const KEPT = 8;

const useAnnouncements = create<{ said: { id: number; text: string }[] }>(() => ({ said: [] }));
let count = 0;

export function announce(text: string): void {
  count += 1;
  useAnnouncements.setState(({ said }) => ({ said: [...said, { id: count, text }].slice(-KEPT) }));
}

export function Announcements() {
  const { said } = useAnnouncements();
  return (
    <div className="visually-hidden" role="log" aria-label="Answer, as it comes">
      {said.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
