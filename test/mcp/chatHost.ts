/**
 * A chat as far as an MCP App sees it, made with the official package: shows the page in a frame of its own origin and
 * hands it the answer of a tool. Runs in the browser; `chart.test.ts` bundles it.
 */
import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge';

export interface ChatHost {
  /** Opens the page at `src`. */
  open(src: string, theme: 'light' | 'dark'): Promise<void>;
  answer(result: string): Promise<void>;
  theme(theme: 'light' | 'dark'): void;
  /** Height that the page asked for last. */
  height: number;
}

let bridge: AppBridge;
const host: ChatHost = {
  height: 0,
  async open(src, theme) {
    const frame = document.querySelector('iframe')!;
    bridge = new AppBridge(null, { name: 'test-chat', version: '1' }, {}, { hostContext: { theme } });
    const ready = new Promise<void>((resolve) => (bridge.oninitialized = () => resolve()));
    bridge.onsizechange = ({ height }) => (host.height = height ?? host.height);
    // Before the page: its first message must be heard.
    await bridge.connect(new PostMessageTransport(frame.contentWindow!, frame.contentWindow!));
    frame.src = src;
    await ready;
  },
  async answer(result) {
    await bridge.sendToolResult(JSON.parse(result) as Parameters<AppBridge['sendToolResult']>[0]);
  },
  theme: (theme) => bridge.setHostContext({ theme }),
};
Object.assign(window, { chatHost: host });
