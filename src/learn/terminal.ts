// A conversation with the person at the terminal, whatever standard input and output are (tty(4)).

import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { MinictrError } from '../system/error.ts'

/** What stepping needs of a terminal. */
export type Conversation = Pick<Terminal, 'write' | 'ask' | 'lend' | 'close'>

/** The terminal in its ordinary mode, where the kernel hands over a line at a time. */
export class Terminal {
  readonly output: WriteStream
  private readonly input: ReadStream
  private readonly device: number

  /** Throws MinictrError where this process has no terminal. */
  constructor() {
    try {
      this.device = openSync('/dev/tty', 'r+')
    } catch (cause) {
      throw new MinictrError('--step asks what to do next, and there is no terminal to ask on (/dev/tty)', {
        remedy: 'Run it from a terminal (ssh -t gives one), or read the plan: minictr explain run …',
        exitStatus: 125,
        cause,
      })
    }
    this.input = new ReadStream(this.device)
    this.output = new WriteStream(openSync('/dev/tty', 'w'))
    this.input.pause()
  }

  write(text: string): void {
    this.output.write(text)
  }

  /** Asks and gives the line that was typed, or undefined for Ctrl-C and Ctrl-D. */
  async ask(question: string): Promise<string | undefined> {
    this.write(question)
    return await new Promise(resolve => {
      const answer = (line: string | undefined) => {
        this.input.pause()
        this.input.off('data', read).off('end', end).off('error', end)
        process.off('SIGINT', end)
        if (line === undefined) this.write('\n')
        resolve(line)
      }
      const read = (bytes: Buffer) => answer(bytes.toString().replace(/\r?\n$/, ''))
      const end = () => answer(undefined)
      this.input.on('data', read).on('end', end).on('error', end)
      process.on('SIGINT', end)
      this.input.resume()
    })
  }

  /** Lends the terminal to a program until it ends. Throws MinictrError where it cannot be started. */
  async lend(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
    const [program = '', ...args] = argv
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, args, { stdio: [this.device, this.device, this.device], env })
      child.on('error', cause =>
        reject(new MinictrError(`${program} cannot be started: ${cause.message}`, { cause })),
      )
      child.on('close', () => resolve())
    })
  }

  /** Lets go of it: from now on it is the container's. */
  close(): void {
    this.input.destroy()
    this.output.destroy()
  }
}
