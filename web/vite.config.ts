import { defineConfig } from "vitest/config";

const SERVER = process.env.HOMEROOM_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", modulePreload: { polyfill: false } },
  server: {
    proxy: {
      "/v1": SERVER,
      "/socket.io": { target: SERVER, ws: true },
    },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
