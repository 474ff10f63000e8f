/** Writes the tiny Llama of the tests into a folder: node model.ts FOLDER */
import { writeTinyLlama } from '../../tinyLlama.ts';

writeTinyLlama(process.argv[2]);
