// What a command is: the options given before its name, and the two shapes its file may have.

import type { Command } from 'commander'

/** What is given before the command's name. */
export type GlobalOptions = {
  /** Images and containers: what outlives a reboot. */
  root: string
  /** What describes processes of this boot. */
  runRoot: string
  configFile: string
  debug: boolean
}

/** The file of a command: one that commander parses, or one that reads its own arguments. */
export type CommandModule =
  | {
      command(globals: GlobalOptions): Command | Promise<Command>
      /** Performs it on words that are names alone, for which commander, milliseconds of it, need not be loaded. */
      onNames?(names: string[], globals: GlobalOptions): Promise<void>
      /** It prints by `say`, `show` or `writeBytes` alone (output.ts), so that the streams of standard output need not be loaded. */
      saysLittle?: true
    }
  /** Returns the status minictr exits with. */
  | { perform(args: string[], globals: GlobalOptions): Promise<number> }

export type CommandEntry = {
  summary: string
  load: () => Promise<CommandModule>
  /** The status for errors that name none: 1, but 125 for commands that otherwise end with their container's. */
  failureStatus?: number
}

export type CommandTable = { [name: string]: CommandEntry }
