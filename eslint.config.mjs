import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { lookupRule } from './scripts/lookupRule.mjs';

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'out/**',
      '.cache/**',
      'node_modules/**',
      'test-env/**',
      'server/src/onnx/gen/**',
      'examples/**',
      '.vscode-test/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'No default exports: a name is the same everywhere.' },
      ],
      eqeqeq: ['error', 'always'],
    },
  },
  {
    // Names from files and users find no `constructor` in a table.
    files: ['{protocol,extension,webview,server}/**/*.{ts,tsx}'],
    plugins: { layerif: { rules: { lookup: lookupRule } } },
    rules: { 'layerif/lookup': 'error' },
  },
  {
    // node:test promises need no await at top level.
    files: ['test/**/*.ts', 'test/**/*.tsx'],
    rules: { '@typescript-eslint/no-floating-promises': 'off' },
  },
  { files: ['**/*.mjs', '**/*.js'], languageOptions: { globals: globals.node } },
);
