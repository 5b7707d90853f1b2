// How the page is built: static files for nginx, with nothing inline, because its Content-Security-Policy allows none of that.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    // An asset inside the JavaScript would be a data: URL, which the policy refuses.
    assetsInlineLimit: 0,
    // Nothing older is written for, so that less is shipped.
    target: "es2023",
    modulePreload: { polyfill: false },
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
