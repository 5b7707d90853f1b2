// A button with an icon and an accessible name.
import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes } from "react";

interface Props extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label" | "title" | "children"> {
  name: string;
  icon: LucideIcon;
}

export function IconButton({ name, icon: Icon, className = "", ...rest }: Props) {
  return (
    <button type="button" className={`icon ${className}`} aria-label={name} title={name} {...rest}>
      <Icon />
    </button>
  );
}
