// A conversation with the person at the terminal, whatever standard input and output are (tty(4)).

import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { MinictrError } from '../system/error.ts'

/** What stepping needs of a terminal. */
export type Conversation = Pick<Terminal, 'open' | 'write' | 'ask' | 'lend' | 'close'>

/** The terminal in its ordinary mode, where the kernel hands over a line at a time. */
export class Terminal {
  output: WriteStream
  private isOpen = true

  /** Throws MinictrError where this process has no terminal. */
  constructor() {
    this.output = new WriteStream(openTerminal())
  }

  /** Takes it once more, where it was let go of. */
  open(): void {
    if (!this.isOpen) this.output = new WriteStream(openTerminal())
    this.isOpen = true
  }

  write(text: string): void {
    if (this.isOpen) this.output.write(text)
  }

  /** Asks and gives the line that was typed, or undefined for Ctrl-C and Ctrl-D. */
  async ask(question: string): Promise<string | undefined> {
    this.write(question)
    // A stream for one line alone: an open one goes on to read what is meant for the next program.
    const input = new ReadStream(openTerminal())
    return await new Promise(resolve => {
      const answer = (line: string | undefined) => {
        input.destroy()
        process.off('SIGINT', end)
        if (line === undefined) this.write('\n')
        resolve(line)
      }
      const end = () => answer(undefined)
      input.once('data', (bytes: Buffer) => answer(bytes.toString().replace(/\r?\n$/, '')))
      input.on('end', end).on('error', end)
      process.on('SIGINT', end)
    })
  }

  /** Lends the terminal to a program until it ends. Throws MinictrError where it cannot be started. */
  async lend(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
    const [program = '', ...args] = argv
    const device = openTerminal()
    try {
      await new Promise<void>((resolve, reject) => {
        const child = spawn(program, args, { stdio: [device, device, device], env })
        child.on('error', cause =>
          reject(new MinictrError(`${program} cannot be started: ${cause.message}`, { cause })),
        )
        child.on('close', () => resolve())
      })
    } finally {
      closeSync(device)
    }
  }

  /** Lets go of it: from now on it is the container's. */
  close(): void {
    if (this.isOpen) this.output.destroy()
    this.isOpen = false
  }
}

function openTerminal(): number {
  try {
    return openSync('/dev/tty', 'r+')
  } catch (cause) {
    throw new MinictrError('--step asks what to do next, and there is no terminal to ask on (/dev/tty)', {
      remedy:
        'Run it from a terminal (ssh -t gives one), or read the plan instead: minictr explain, and the same words behind it',
      exitStatus: 125,
      cause,
    })
  }
}
