// The login, and behind it the workspace. A token that expires puts the login in front and leaves all as it was.
import { useSession } from "./api/session";
import { Login } from "./Login";
import { Workspace } from "./Workspace";

export function App() {
  const { token, expired } = useSession();
  return (
    <>
      {(!token || expired) && <Login />}
      {token && (
        <div className="behind" inert={expired}>
          <Workspace />
        </div>
      )}
    </>
  );
}
