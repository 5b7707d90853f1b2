// The page after login: the list of conversations, the open one, and the model above it.
import { CircleUserRound, Menu, SlidersHorizontal } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Conversation } from "./Conversation";
import { Conversations } from "./Conversations";
import { keepFresh } from "./chat/models";
import { load, open, useConversations } from "./conversations/store";
import { ModelPicker } from "./ModelPicker";
import { showInstead, useShown } from "./parts/address";
import { Announcements } from "./parts/announce";
import { Dialog } from "./parts/Dialog";
import { ErrorBoundary } from "./parts/ErrorBoundary";
import { IconButton } from "./parts/IconButton";
import { useIsNarrow } from "./parts/useIsNarrow";
import { SettingsDrawer } from "./SettingsDrawer";

type Drawer = "conversations" | "settings" | "account" | null;

const AccountMenu = lazy(async () => ({ default: (await import("./account/AccountMenu")).AccountMenu }));

export function Workspace() {
  const shown = useShownConversation();
  const isNarrow = useIsNarrow();
  const [drawer, setDrawer] = useState<Drawer>(null);
  const close = () => setDrawer(null);
  useEffect(keepFresh, []);
  const title = useConversations(({ list }) => list?.find(({ id }) => id === shown)?.title);
  useEffect(() => {
    document.title = title ? `${title} – LocalChat` : "LocalChat";
  }, [title]);

  return (
    <div className="workspace">
      {!isNarrow && <Conversations shown={shown} />}
      <main>
        <header className="top">
          {isNarrow && <h1 className="visually-hidden">LocalChat</h1>}
          {isNarrow && <IconButton name="Conversations" icon={Menu} onClick={() => setDrawer("conversations")} />}
          <ModelPicker />
          <IconButton name="Settings" icon={SlidersHorizontal} onClick={() => setDrawer("settings")} />
          <IconButton name="Account" icon={CircleUserRound} onClick={() => setDrawer("account")} />
        </header>
        <Conversation key={shown} id={shown} />
        <Announcements />
      </main>
      {drawer === "conversations" && isNarrow && (
        <Dialog title="Conversations" side="start" onClose={close}>
          <Conversations shown={shown} onChosen={close} />
        </Dialog>
      )}
      {drawer === "settings" && (
        <Dialog title="Settings" side="end" onClose={close}>
          <SettingsDrawer id={shown} />
        </Dialog>
      )}
      {drawer === "account" && (
        <Dialog title="Account" side="end" onClose={close}>
          <ErrorBoundary instead={<p className="error">Couldn’t load this. Reload the page.</p>}>
            <Suspense>
              <AccountMenu />
            </Suspense>
          </ErrorBoundary>
        </Dialog>
      )}
    </div>
  );
}

/** The id in the address, once the list has been read; null for a new conversation or an unknown id. */
function useShownConversation(): string | null {
  const id = useShown();
  const list = useConversations(({ list }) => list);
  const isThere = useConversations(({ list }) => list?.some((one) => one.id === id) ?? false);
  useEffect(() => void load(), []);
  useEffect(() => {
    if (id && isThere) void open(id);
    else if (id && list) showInstead(null);
  }, [id, isThere, list]);
  return isThere ? id : null;
}
