import { defineConfig } from "vitest/config";

const SERVER = process.env.HOMEROOM_URL ?? "http://127.0.0.1:8080";

/** `npm run build:client` is a build for use outside of the page: the library alone, without the page's files. */
export default defineConfig(({ isSsrBuild }) => ({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: { target: "es2022", modulePreload: { polyfill: false }, copyPublicDir: isSsrBuild !== true },
  server: {
    proxy: {
      "/v1": SERVER,
      "/socket.io": { target: SERVER, ws: true },
    },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
}));
