// The login, and behind it the workspace. A token that expires puts the login in front and leaves all as it was.
import { lazy, Suspense } from "react";
import { useSession } from "./api/session";
import { Login } from "./Login";

// Asked for at once, but not waited for: the login is there sooner, and while one types, the rest comes.
const workspace = import("./Workspace");
const Workspace = lazy(async () => ({ default: (await workspace).Workspace }));

export function App() {
  const { token, expired } = useSession();
  return (
    <>
      {(!token || expired) && <Login />}
      {token && (
        <div className="behind" inert={expired}>
          <Suspense>
            <Workspace />
          </Suspense>
        </div>
      )}
    </>
  );
}
