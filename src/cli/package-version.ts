// The version of this minictr.

/** `0.1.0`, the version of the package. */
export async function packageVersion(): Promise<string> {
  const { default: description } = await import('../../package.json', { with: { type: 'json' } })
  return description.version
}
