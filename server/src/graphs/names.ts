/**
 * Names of modules and layers. Exporters keep the modules that a node comes from in one of three places: in the node's
 * metadata (PyTorch's torch.export exporter), in the node's name (its TorchScript exporter, hence Optimum) or in the
 * name of the weight. A layer is what the first pattern of the table finds in those names.
 */
import type { DecodedNode } from '../onnx/decode.ts';

/**
 * How layers are called, in the order in which the patterns are tried: the first that matches anything wins. What
 * stands in front of the match belongs to the layer's name. To support another habit, add a row.
 */
export const layerPatterns: readonly { pattern: RegExp; example: string }[] = [
  { pattern: /(?:^|\.)blocks\.\d+(?=\.)/, example: 'blocks.3 (timm); layers.0.blocks.1 (Swin)' },
  { pattern: /(?:^|\.)(?:layers|layer|h|block|decoder_layers|encoder_layers)\.\d+(?=\.)/, example: 'model.layers.3' },
  {
    pattern: /(?:^|\.)(?:encoder_layer|decoder_layer|layer|block)_\d+(?=\.)/,
    example: 'encoder.layers.encoder_layer_3',
  },
  { pattern: /(?:^|\.)layer\d+\.\d+(?=\.)/, example: 'layer2.0 (residual blocks of torchvision)' },
  { pattern: /^(?:[A-Za-z_]\w*\.)*?[A-Za-z_]\w*\.\d+(?=\.|$)/, example: 'features.3' },
];

const torchScopes = 'pkg.torch.onnx.name_scopes';

/** The module that a node belongs to, null where the graph does not tell. */
export function scopeOf(node: DecodedNode): string | null {
  const listed = node.metadata[torchScopes];
  if (listed !== undefined) {
    // A Python list of strings, outermost module first; the last is the operation itself.
    const scopes = [...listed.matchAll(/'([^']*)'|"([^"]*)"/g)].map((match) => match[1] ?? match[2]);
    const scope = scopes.at(-2);
    if (scope) return scope;
  }
  const folders = node.name.split('/').filter(Boolean).slice(0, -1);
  if (folders.length === 0) return null;
  // A module inside a Sequential is written `layer1/layer1.0`: the longer name says it all.
  return folders.filter((folder, i) => !folders[i + 1]?.startsWith(`${folder}.`)).join('.');
}

/** `a.b` of the constant `a.b.weight`, null for names that exporters make up (`onnx::MatMul_12`, `val_3`). */
export function weightPath(initializer: string): string | null {
  const [, path] = /^([A-Za-z_]\w*(?:\.\w+)*)\.(?:weight|kernel)$/.exec(initializer) ?? [];
  if (path !== undefined) return path;
  return /^[A-Za-z_]\w*(?:\.\w+)+_(?:weight|proj)$/.test(initializer) ? initializer : null;
}

/** The pattern of `model.layers_pattern`: `{}` stands for the index; a name without it is followed by one. */
export function userPattern(text: string): RegExp {
  const whole = text.includes('{}') ? text : `${text}.{}`;
  const escaped = whole.split('{}').map((part) => part.replace(/[.*+?^$()[\]{}|\\]/g, '\\$&'));
  return new RegExp(`(?:^|\\.)${escaped.join('\\d+')}(?=\\.|$)`);
}

/** The layer's part of a module's path, or null. */
export function layerIn(path: string, pattern: RegExp): string | null {
  const match = pattern.exec(path);
  return match ? path.slice(0, match.index + match[0].length) : null;
}
