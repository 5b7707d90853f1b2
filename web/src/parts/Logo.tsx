// LocalChat's logo.
import icon from "../icon.svg";

export const Logo = () => <img className="logo" src={icon} alt="" width="32" height="32" />;
