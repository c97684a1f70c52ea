// Questions on the terminal: a line that is seen, and a secret that is not.

import { createInterface } from 'node:readline/promises'
import { MinictrError } from '../system/error.ts'

/** What a person answers, trimmed; nothing where the input ends before. Throws MinictrError when interrupted. */
export async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const ended = new AbortController()
  let isInterrupted = false
  lines.once('SIGINT', () => {
    isInterrupted = true
    lines.close()
  })
  lines.once('close', () => ended.abort())
  try {
    return (await lines.question(question, { signal: ended.signal })).trim()
  } catch {
    if (isInterrupted) throw new MinictrError('Interrupted', { exitStatus: 130 })
    return ''
  } finally {
    lines.close()
  }
}

/** Whether a person agrees, after a warning: only `y` does. Throws MinictrError as `ask`. */
export async function confirm(warning: string): Promise<boolean> {
  return /^y$/i.test(await ask(`${warning}\nAre you sure you want to continue? [y/N] `))
}

/** As `ask`, but nothing of the answer is shown; the terminal is as before afterwards, whatever happens. */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stdout } = process
  stdout.write(question)
  stdin.setRawMode(true).setEncoding('utf8').resume()
  try {
    return await readSecret(stdin)
  } finally {
    stdin.setRawMode(false).pause()
    stdout.write('\n')
  }
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'

/** Without the terminal's own line editing, its few important keys are ours to understand. */
async function readSecret(input: NodeJS.ReadStream): Promise<string> {
  let secret: string[] = []
  // Not destroyed when we stop reading: there may be more questions.
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    for (const key of chunk as string) {
      if (key === '\r' || key === '\n' || key === CTRL_D) return secret.join('')
      if (key === CTRL_C) throw new MinictrError('Interrupted', { exitStatus: 130 })
      if (key === CTRL_U) secret = []
      else if (key === '\u007f' || key === '\b') secret.pop()
      else secret.push(key)
    }
  }
  return secret.join('')
}
