/** Must be imported before onnxruntime-node: its Linux library sends usage data unless this is set. */
process.env.ORT_DISABLE_TELEMETRY = '1';
export {};
