// Puts the page into index.html.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Boundary } from "./parts/Boundary";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/messages.css";
import "./styles/markdown.css";
import "./styles/composer.css";

const place = document.getElementById("page");
if (place)
  createRoot(place).render(
    <Boundary
      instead={<p className="problem">Something went wrong on this page. Reload it; conversations are kept.</p>}
    >
      <App />
    </Boundary>,
  );
