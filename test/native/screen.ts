// A terminal as the tests need one: what it shows, what is typed at it, and its modes.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ClientOptions } from './client.ts'
import { clientCommand, until } from './clients.ts'

/** What a terminal shows. */
export class Screen {
  text = ''
  shell = 0
  child: ChildProcess

  /** Runs a command of the shell in a new terminal (script(1)); what is written to `child.stdin` is typed. */
  constructor(command: string) {
    this.child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.child.stdout!.on('data', chunk => {
      this.text += chunk
    })
  }

  shows(pattern: RegExp): Promise<void> {
    return until(() => pattern.test(this.text), `${pattern} is shown; but: ${JSON.stringify(this.text)}`)
  }

  type(keys: string): void {
    this.child.stdin!.write(keys)
  }

  /** Ends what runs in the terminal. */
  async end(): Promise<void> {
    process.kill(this.shell, 'SIGKILL')
    await once(this.child, 'exit')
  }
}

export function modes(terminal: string): string {
  return execFileSync('stty', ['-g', '-F', terminal], { encoding: 'utf8' }).trim()
}

/** A shell in a terminal that tells its name, then runs the client or another command, then says how that ended. */
export async function inTerminal(
  command: ClientOptions | string,
): Promise<{ screen: Screen; terminal: string; before: string }> {
  const screen = new Screen(
    `tty; echo shell $$; read go; ${typeof command === 'string' ? command : clientCommand(command)}; echo "status $?"; exec sleep 30`,
  )
  await screen.shows(/\/dev\/pts\/\d+\r\nshell \d+\r\n/)
  screen.shell = Number(/shell (\d+)/.exec(screen.text)![1])
  const terminal = /\/dev\/pts\/\d+/.exec(screen.text)![0]
  const before = modes(terminal)
  screen.text = ''
  screen.type('\n')
  return { screen, terminal, before }
}
