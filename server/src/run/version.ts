/** The version of this program, kept equal to package.json by test/run/version.test.ts. */
export const version = '0.1.0';
