/** Style sheets are imported for esbuild, which collects them into `dist/webview/<page>.css`. */
declare module '*.css';
