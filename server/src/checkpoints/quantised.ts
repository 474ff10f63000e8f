/**
 * Which method a checkpoint was quantised by, told by `config.json` or, where that says nothing, by the names of its
 * tensors: one row per method. Quantised matrices are stored as packed integers or 8-bit floats with scales beside
 * them; what of that can be read as it is is decided elsewhere (`dtypes.ts`), this only gives the reason a name.
 *
 * Names of methods: `quant_method` of transformers (utils/quantization_config.py). Names of tensors: the files that
 * GPTQModel, AutoAWQ, bitsandbytes, compressed-tensors, HQQ, optimum-quanto, torchao, EETQ, AQLM, VPTQ, ExLlama and MLX
 * write.
 */

/** What of a checkpoint is looked at. */
export interface MaybeQuantised {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, { readonly dtype: string }>;
}

export interface Quantisation {
  /** As people call it. */
  title: string;
  /** What says so: a key of config.json with its value, or a tensor. */
  evidence: string;
  /** How to get float weights. */
  advice: string;
}

interface Method {
  title: string;
  /** Values of `quant_method`, without regard to case, hyphen and underscore. */
  names: readonly string[];
  /** A tensor that only this method writes; the first row that fits counts. */
  tensor?: RegExp;
  /** A tensor of this name that is stored so. */
  dtype?: string;
  /** How a float copy is made; where there is no simple way, the checkpoint that it was made from is named alone. */
  copy?: string;
}

const dequantize = 'AutoModelForCausalLM.from_pretrained(...).dequantize() and save_pretrained in transformers';

/** Norms are quantised by nobody. */
const matrix = /^(?!.*(?:norm|ln_)).*\.weight$/;

const methods: readonly Method[] = [
  {
    title: 'bitsandbytes in 4 bits',
    names: [],
    tensor: /\.(quant_state\.bitsandbytes__\w+|absmax|quant_map|nested_absmax)$/,
    copy: dequantize,
  },
  { title: 'bitsandbytes in 8 bits', names: [], tensor: /\.SCB$/, copy: dequantize },
  { title: 'bitsandbytes', names: ['bitsandbytes'], copy: dequantize },
  { title: 'GPTQ', names: ['gptq', 'gptqmodel', 'marlin'], tensor: /\.g_idx$/ },
  { title: 'AWQ', names: ['awq'], tensor: /\.qweight$/ },
  { title: 'AutoRound', names: ['autoround', 'intelautoround'] },
  {
    title: 'compressed-tensors',
    names: ['compressedtensors', 'sparseml'],
    tensor: /\.weight_packed$/,
    copy: 'from_pretrained with quantization_config=CompressedTensorsConfig(run_compressed=False) and save_pretrained in transformers',
  },
  { title: 'FP8 with block scales', names: ['fp8', 'finegrainedfp8'], tensor: /\.weight_scale_inv$/ },
  { title: 'FBGEMM FP8', names: ['fbgemmfp8'] },
  {
    title: 'MXFP4',
    names: ['mxfp4', 'mxfp8'],
    tensor: /_blocks$/,
    copy: 'from_pretrained with quantization_config=Mxfp4Config(dequantize=True) and save_pretrained in transformers',
  },
  { title: 'ModelOpt', names: ['modelopt', 'nvfp4'], tensor: /\.weight_scale_2$/ },
  { title: 'HQQ', names: ['hqq'], tensor: /\.W_q$/ },
  { title: 'quanto', names: ['quanto'], tensor: /\.weight\._(data|scale)$/ },
  { title: 'torchao', names: ['torchao'], tensor: /[._]weight_?(qdata|_weight_qdata)$/ },
  { title: 'EETQ', names: ['eetq'], tensor: /\.weight_scales$/ },
  { title: 'AQLM', names: ['aqlm'], tensor: /\.codebooks$/ },
  { title: 'VPTQ', names: ['vptq'], tensor: /\.(res_)?centroids(\.weight)?$/ },
  { title: 'QuIP#', names: ['quip'], tensor: /\.Qidxs(_\d+)?$/ },
  { title: 'ExLlamaV2 (EXL2)', names: ['exl2'], tensor: /\.q_weight$/ },
  { title: 'ExLlamaV3 (EXL3)', names: ['exl3'], tensor: /\.trellis$/ },
  { title: 'SpQR', names: ['spqr'], tensor: /\.dense_weights$/ },
  { title: 'HIGGS', names: ['higgs'], copy: dequantize },
  { title: 'BitNet', names: ['bitnet'] },
  { title: 'Quark', names: ['quark'] },
  { title: 'FP-Quant', names: ['fpquant'] },
  { title: 'MLX', names: [], tensor: matrix, dtype: 'U32' },
  { title: 'integers or 8-bit floats with scales', names: [], tensor: /\.weight_scale$/ },
  { title: '8-bit integers', names: [], tensor: matrix, dtype: 'I8' },
  { title: 'packed 8-bit words', names: [], tensor: matrix, dtype: 'U8' },
  { title: 'packed 32-bit words', names: [], tensor: matrix, dtype: 'I32' },
  { title: '8-bit floats', names: [], tensor: matrix, dtype: 'F8_E4M3' },
  { title: '8-bit floats', names: [], tensor: matrix, dtype: 'F8_E5M2' },
];

/** Keys of config.json under which a description of the quantisation stands. */
const sections = ['quantization_config', 'compression_config', 'quantization'] as const;

/** Null where nothing says that a checkpoint was quantised. */
export function quantisationOf(checkpoint: MaybeQuantised): Quantisation | null {
  return byConfig(checkpoint.config) ?? byTensors(checkpoint);
}

function byConfig(config: MaybeQuantised['config']): Quantisation | null {
  for (const [prefix, part] of [['', config] as const, ['text_config.', config.text_config] as const]) {
    if (!isObject(part)) continue;
    for (const key of sections) {
      const section = part[key];
      if (!isObject(section)) continue;
      const asked = section.quant_method ?? section.quant_algo;
      const method =
        typeof asked === 'string' ? asked : section.load_in_4bit || section.load_in_8bit ? 'bitsandbytes' : null;
      const row = methods.find(({ names }) => method !== null && names.includes(plain(method)));
      const said =
        method === null ? `${prefix}${key}` : `${prefix}${key}.quant_method ${JSON.stringify(method.slice(0, 40))}`;
      const title =
        row?.title ?? (key === 'quantization' ? 'MLX' : (method?.slice(0, 40) ?? 'a method that is not named'));
      return { title, evidence: `config.json has ${said}`, advice: adviceOf(row) };
    }
  }
  return null;
}

function byTensors({ tensors }: MaybeQuantised): Quantisation | null {
  for (const row of methods) {
    if (!row.tensor) continue;
    for (const [name, { dtype }] of tensors) {
      if (!row.tensor.test(name) || (row.dtype !== undefined && row.dtype !== dtype)) continue;
      return { title: row.title, evidence: `it has the tensor ${name} of type ${dtype}`, advice: adviceOf(row) };
    }
  }
  return null;
}

function adviceOf(row: Method | undefined): string {
  const source = 'take the float checkpoint that it was made from';
  return row?.copy === undefined ? source : `${source}, or write a float copy (${row.copy})`;
}

function plain(method: string): string {
  return method.toLowerCase().replaceAll(/[-_/\s]/g, '');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
