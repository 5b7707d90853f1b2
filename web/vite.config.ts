// Builds the page as static files for nginx, with nothing inline, because its Content-Security-Policy forbids that.
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Ships only WOFF2 of KaTeX's three font formats: every browser of the last ten years supports it. */
const onlyWoff2: Plugin = {
  name: "only-woff2",
  enforce: "pre",
  transform: (code, id) => (id.endsWith("katex.css") ? code.replace(/,\s*url\([^)]*\.(woff|ttf)\)[^,;}]*/g, "") : null),
};

export default defineConfig({
  plugins: [react(), onlyWoff2],
  build: {
    // An inlined asset would be a data: URL, which the policy blocks.
    assetsInlineLimit: 0,
    // No older targets, so that less is shipped.
    target: "es2023",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // A separate chunk, so that the languages' size is measured apart from the page's.
      output: { codeSplitting: { groups: [{ name: "languages", test: /highlight\.js\/es\/languages/ }] } },
    },
  },
  server: {
    // The API allows this origin during development (CORS_ORIGINS); another port would be another origin.
    port: 5173,
    strictPort: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
