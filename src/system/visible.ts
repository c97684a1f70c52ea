// Text that others wrote, for a person's eyes: what would steer the terminal, or reorder a line, is spelled out.

/**
 * The text with its control characters (ECMA-48: C0, DEL and C1) and those that change the direction of writing
 * (Unicode's Bidi_Control) as escapes, `\x1b` or `\u202e`. Line feeds and tabs stay.
 */
export function visible(text: string): string {
  return text.replace(steering(), character => {
    if (character === '\r') return '\\r'
    const code = character.charCodeAt(0)
    return code > 0xff ? `\\u${hexadecimal(code, 4)}` : `\\x${hexadecimal(code, 2)}`
  })
}

/** JSON text, its strings free of such characters: it says the same, in JSON's own escapes. */
export function visibleJson(json: string): string {
  return json.replace(steering(), character => `\\u${hexadecimal(character.charCodeAt(0), 4)}`)
}

/** For output that programs read as well: `visible` on a terminal, as it is in a pipe or a file. */
export function visibleOn(stream: { isTTY?: boolean }, text: string): string {
  return stream.isTTY ? visible(text) : text
}

/** Made when it is needed: few runs need it. */
function steering(): RegExp {
  return /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
}

function hexadecimal(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
