/** The version of this program, kept equal to package.json by test/scripts/release.test.ts. */
export const version = '0.1.0';
