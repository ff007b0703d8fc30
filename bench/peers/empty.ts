/** The least that a function can be: what is left is Node's own cost of importing a module. */
export async function handler(): Promise<{ statusCode: number }> {
  return { statusCode: 204 };
}
