// Words of a POSIX shell: quoting, so that any text survives the way into a script unchanged.

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/

/** One shell word that expands to exactly this text (POSIX Shell, 2.2.2 Single-Quotes). */
export function quote(text: string): string {
  return plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** A command line of these words. */
export function words(...texts: string[]): string {
  return texts.map(quote).join(' ')
}
