// LocalChat's mark.
import icon from "../icon.svg";

export const Mark = () => <img className="mark" src={icon} alt="" width="32" height="32" />;
