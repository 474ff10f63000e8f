/** Chooses an entry of one of the page's lists by its value, as a user's click would, and waits until it is drawn. */
import type { Locator } from 'playwright-core';

/** @param within a page, a frame, or the part of it that has one list of this label */
export const choose = (within: { locator(selector: string): Locator }, label: string, value: string): Promise<void> =>
  within.locator(`vscode-single-select[label="${label}"]`).evaluate(async (element, wanted) => {
    Object.assign(element, { value: wanted });
    element.dispatchEvent(new Event('change', { bubbles: true }));
    for (let frame = 0; frame < 2; frame++) await new Promise((next) => requestAnimationFrame(next));
  }, value);
