// Keeps what cannot be shown from taking the rest of the page with it.
import { Component, type ReactNode } from "react";

interface Props {
  /** Shown in its place. */
  instead: ReactNode;
  children: ReactNode;
}

/** React tells of the error on the console. */
export class Boundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    return this.state.hasFailed ? this.props.instead : this.props.children;
  }
}
