// The table of commands: each one's name, a line about it, and the file that is loaded when it is asked for.

import type { CommandEntry, CommandTable } from './command.ts'

export type Section = { title: string; commands: CommandTable }

/** What `minictr --help` lists, in its order. */
export const sections: Section[] = [
  {
    title: 'Common Commands',
    commands: {
      run: {
        summary: 'Create and run a new container from an image',
        load: () => import('./run.ts'),
        failureStatus: 125,
      },
      ps: { summary: 'List containers', load: () => import('./ps.ts') },
      rm: { summary: 'Remove one or more containers', load: () => import('./rm.ts') },
      pull: { summary: 'Download an image from a registry', load: () => import('./pull.ts') },
      images: { summary: 'List images', load: () => import('./images.ts') },
      rmi: { summary: 'Remove one or more images', load: () => import('./rmi.ts') },
      login: { summary: 'Authenticate to a registry', load: () => import('./login.ts') },
      logout: { summary: 'Log out from a registry', load: () => import('./logout.ts') },
    },
  },
  {
    title: 'Learning Commands',
    commands: {
      explain: {
        summary: 'Show every step of a run with its reason and its system calls, and perform none',
        load: () => import('./explain.ts'),
      },
      script: {
        summary: 'Print a shell script that makes the same container without minictr',
        load: () => import('./script.ts'),
      },
    },
  },
]

export type Group = { summary: string; commands: CommandTable }

/** Commands that are followed by another command's name. */
export const groups: { [name: string]: Group } = {
  image: {
    summary: 'Manage images',
    commands: {
      'from-host': {
        summary: 'Make an image of programs of this host',
        load: () => import('./image-from-host.ts'),
      },
      inspect: {
        summary: 'Display detailed information on one or more images',
        load: () => import('./image-inspect.ts'),
      },
      ls: { summary: 'List images', load: () => import('./images.ts') },
      pull: { summary: 'Download an image from a registry', load: () => import('./pull.ts') },
      rm: { summary: 'Remove one or more images', load: () => import('./rmi.ts') },
      serve: {
        summary: 'Serve the images of the store as a read-only registry',
        load: () => import('./image-serve.ts'),
      },
    },
  },
  system: {
    summary: 'Manage what minictr keeps',
    commands: {
      recover: {
        summary: 'Undo what killed processes left behind',
        load: () => import('./system-recover.ts'),
      },
    },
  },
}

export type Found =
  | { kind: 'command'; name: string; entry: CommandEntry; args: string[] }
  | { kind: 'group'; name: string; group: Group; args: string[] }
  | { kind: 'unknown'; words: string[]; candidates: string[] }

/** Finds the command that the words name, and leaves it the words after its name. */
export function findCommand(words: string[]): Found {
  const [first = '', second, ...rest] = words
  for (const { commands } of sections) {
    if (Object.hasOwn(commands, first)) {
      return { kind: 'command', name: first, entry: commands[first]!, args: words.slice(1) }
    }
  }
  if (!Object.hasOwn(groups, first)) {
    const names = [...sections.flatMap(({ commands }) => Object.keys(commands)), ...Object.keys(groups)]
    return { kind: 'unknown', words: [first], candidates: names }
  }
  const group = groups[first]!
  if (second === undefined || second.startsWith('-')) {
    return { kind: 'group', name: first, group, args: words.slice(1) }
  }
  if (Object.hasOwn(group.commands, second)) {
    return { kind: 'command', name: `${first} ${second}`, entry: group.commands[second]!, args: rest }
  }
  return { kind: 'unknown', words: [first, second], candidates: Object.keys(group.commands) }
}
