// Keeps a component that fails to render from taking the page down.
import { Component, type ReactNode } from "react";

interface Props {
  /** Shown in its place. */
  instead: ReactNode;
  children: ReactNode;
}

/** React logs the error to the console. */
export class ErrorBoundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    return this.state.hasFailed ? this.props.instead : this.props.children;
  }
}
