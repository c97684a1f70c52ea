// A word that was mistyped, and the one that was probably meant.

/** The candidate that needs the fewest corrections to become `word`, if it needs few. */
export function nearest(word: string, candidates: string[]): string | undefined {
  const ranked = candidates
    .map(candidate => ({ candidate, corrections: distance(word, candidate) }))
    .sort((a, b) => a.corrections - b.corrections)
  const best = ranked[0]
  if (best === undefined) return undefined
  return best.corrections <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    rows.push([i])
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      rows[i]!.push(
        Math.min(
          replaced,
          rows[i - 1]![j]! + 1,
          rows[i]![j - 1]! + 1,
          swapped ? rows[i - 2]![j - 2]! + 1 : replaced,
        ),
      )
    }
  }
  return rows[a.length]![b.length]!
}
