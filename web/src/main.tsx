// Mounts the page in index.html.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { ErrorBoundary } from "./parts/ErrorBoundary";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/messages.css";
import "./styles/markdown.css";
import "./styles/composer.css";

const place = document.getElementById("page");
if (place)
  createRoot(place).render(
    <ErrorBoundary
      instead={<p className="error">Something went wrong. Reload the page; your conversations are saved.</p>}
    >
      <App />
    </ErrorBoundary>,
  );
