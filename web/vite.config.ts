// How the page is built: static files for nginx, with nothing inline, because its Content-Security-Policy allows none of that.
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Of KaTeX's fonts the one format that every browser of the last ten years takes; it names three. */
const woff2Alone: Plugin = {
  name: "woff2-alone",
  enforce: "pre",
  transform: (code, id) => (id.endsWith("katex.css") ? code.replace(/,\s*url\([^)]*\.(woff|ttf)\)[^,;}]*/g, "") : null),
};

export default defineConfig({
  plugins: [react(), woff2Alone],
  build: {
    // An asset inside the JavaScript would be a data: URL, which the policy refuses.
    assetsInlineLimit: 0,
    // Nothing older is written for, so that less is shipped.
    target: "es2023",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // By themselves, because they are many and what they weigh is another question than what the page weighs.
      output: { codeSplitting: { groups: [{ name: "languages", test: /highlight\.js\/es\/languages/ }] } },
    },
  },
  server: {
    // The origin that the API lets in while one develops (CORS_ORIGINS); another port would be another origin.
    port: 5173,
    strictPort: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
