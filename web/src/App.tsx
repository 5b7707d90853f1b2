// The login, and behind it the workspace. When a token expires, the login covers the workspace, which keeps its state.
import { lazy, Suspense, useEffect, useState } from "react";
import { loginByCode } from "./api/client";
import { messageOf, reasonOf } from "./api/errors";
import { useSession } from "./api/session";
import { Login } from "./Login";
import { showInstead, useAfter } from "./parts/address";

// Requested at once but not awaited: the login appears sooner, and the rest loads while the person types.
const workspace = import("./Workspace");
const Workspace = lazy(async () => ({ default: (await workspace).Workspace }));
const Invitation = lazy(async () => ({ default: (await import("./account/Invitation")).Invitation }));

export function App() {
  const { token, account, expired } = useSession();
  const invitation = useAfter("#/invitation/");
  const code = useAfter("#/signed-in/");
  const refusal = useAfter("#/login?error=");
  const [note, setNote] = useState("");
  useEffect(() => {
    if (!code) return;
    // Each code is good for one use, so the address is left at once.
    showInstead(null);
    loginByCode(code).catch((reason) => setNote(messageOf(reason)));
  }, [code]);
  return (
    <>
      {invitation !== null ? (
        <Suspense>
          <Invitation token={invitation} onAccepted={setNote} />
        </Suspense>
      ) : (
        (!token || expired) && <Login note={refusal ? reasonOf(refusal) : note} />
      )}
      {token && invitation === null && (
        // Another account finds nothing of this one's, such as an open dialog.
        <div key={account} className="behind" inert={expired}>
          <Suspense>
            <Workspace />
          </Suspense>
        </div>
      )}
    </>
  );
}
