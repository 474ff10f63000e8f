/** Questions to a page of results about what can leave it: what there is, and one thing in one form. */
import type { ExportForm, ExportItem, FromWebview } from '../../protocol/webview.ts';
import type { Page } from './webviewPage.ts';

/** A page draws every tab once more and waits for the language server where a tab asks it. */
const PATIENCE_MS = 90_000;

type Exported = FromWebview & { type: 'exported' };

export class PageExports {
  private readonly waiting = new Map<number, (message: Exported) => void>();
  private requests = 0;

  /** @throws Error with the page's words, or when it does not answer */
  async list(page: Page<'results'>): Promise<ExportItem[]> {
    return (await this.ask((requestId) => page.post({ type: 'listExports', requestId }))).items;
  }

  /** @param id empty for the whole page @throws Error as `list` */
  async make(page: Page<'results'>, id: string, form: ExportForm): Promise<string | Uint8Array> {
    const { content } = await this.ask((requestId) => page.post({ type: 'makeExport', requestId, id, form }));
    if (content === null) throw new Error('the page gave nothing');
    return content;
  }

  answered(message: Exported): void {
    this.waiting.get(message.requestId)?.(message);
    this.waiting.delete(message.requestId);
  }

  private async ask(send: (requestId: number) => void): Promise<Exported> {
    const requestId = ++this.requests;
    const answered = new Promise<Exported>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(requestId);
        reject(new Error(`the page did not answer within ${PATIENCE_MS / 1000} seconds`));
      }, PATIENCE_MS);
      this.waiting.set(requestId, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    send(requestId);
    const message = await answered;
    if (message.failure !== null) throw new Error(message.failure);
    return message;
  }
}
