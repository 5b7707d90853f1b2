// Puts the page into index.html.
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/messages.css";
import "./styles/markdown.css";
import "./styles/composer.css";

const place = document.getElementById("page");
if (place) createRoot(place).render(<App />);
