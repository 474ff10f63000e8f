/** A drawing as PNG, at twice its size so that it stays sharp in print. */
const SCALE = 2;

/** @throws Error where the browser cannot draw it */
export async function pngOf(drawing: string): Promise<Uint8Array> {
  const url = URL.createObjectURL(new Blob([drawing], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth * SCALE, image.naturalHeight * SCALE);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('the editor gives no canvas');
    context.scale(SCALE, SCALE);
    context.drawImage(image, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    return new Uint8Array(await blob.arrayBuffer());
  } finally {
    URL.revokeObjectURL(url);
  }
}
