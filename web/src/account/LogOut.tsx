// Logging out. Who leaves a shared computer is offered to take their conversations away.
import { useRef } from "react";
import { logout } from "../api/client";
import { removeAll } from "../conversations/store";
import { Confirmation } from "../parts/Confirmation";
import type { ViewProps } from "./AccountMenu";

export const LogOut = (props: ViewProps) => <Leaving {...props} everywhere={false} />;
export const LogOutEverywhere = (props: ViewProps) => <Leaving {...props} everywhere={true} />;

function Leaving({ me, onClose, everywhere }: ViewProps & { everywhere: boolean }) {
  const isDeleting = useRef<HTMLInputElement>(null);
  const action = everywhere ? "Log out everywhere" : "Log out";
  async function handleConfirm() {
    if (isDeleting.current?.checked) await removeAll();
    await logout(everywhere);
  }
  return (
    <Confirmation title={`${action}?`} action={action} onConfirm={handleConfirm} onClose={onClose}>
      {everywhere && <p>You will be logged out in every browser and on every device. API keys keep working.</p>}
      <p>
        Your conversations stay in this browser. They are shown only to {me.email}, but anyone who can use this computer
        could read them. An unsent message is discarded.
      </p>
      <label className="check">
        <input ref={isDeleting} type="checkbox" /> Delete my conversations from this browser
      </label>
    </Confirmation>
  );
}
