// The WWW-Authenticate header: how a registry says which proof of identity it wants.

export type Challenge = {
  /** In lower case: `bearer`, `basic`. */
  scheme: string
  parameters: Record<string, string>
}

/**
 * Parses a WWW-Authenticate header, which may hold several challenges; what is malformed ends the list.
 * Source: RFC 9110, section 11.6.1; RFC 7235.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const pair = /\s*,?\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y
  const scheme = /[\s,]*([!#$%&'*+.^_`|~\w-]+)(?=\s|,|$)(?!\s*=)/y
  let position = 0
  for (;;) {
    scheme.lastIndex = position
    const name = scheme.exec(header)
    if (!name) return challenges
    position = scheme.lastIndex
    const parameters: Record<string, string> = {}
    for (;;) {
      pair.lastIndex = position
      const match = pair.exec(header)
      if (!match) break
      parameters[match[1]!.toLowerCase()] = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3]!
      position = pair.lastIndex
    }
    challenges.push({ scheme: name[1]!.toLowerCase(), parameters })
  }
}
