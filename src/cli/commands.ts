// The table of commands: each one's name, a line about it, and the file that is loaded when it is asked for.

import {
  END_COMMAND,
  EXEC_ENDED_COMMAND,
  HEALTH_COMMAND,
  RESTART_COMMAND,
} from '../containers/own-commands.ts'
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
      create: { summary: 'Create a new container', load: () => import('./create.ts') },
      start: { summary: 'Start one or more stopped containers', load: () => import('./start.ts') },
      stop: { summary: 'Stop one or more running containers', load: () => import('./stop.ts') },
      restart: { summary: 'Restart one or more containers', load: () => import('./restart.ts') },
      kill: { summary: 'Kill one or more running containers', load: () => import('./kill.ts') },
      pause: {
        summary: 'Pause all processes within one or more containers',
        load: () => import('./pause.ts'),
      },
      unpause: {
        summary: 'Unpause all processes within one or more containers',
        load: () => import('./unpause.ts'),
      },
      wait: {
        summary: 'Block until one or more containers stop, then print their exit codes',
        load: () => import('./wait.ts'),
      },
      attach: {
        summary: 'Attach local standard input, output, and error streams to a running container',
        load: () => import('./attach.ts'),
      },
      update: {
        summary: 'Update configuration of one or more containers',
        load: () => import('./update.ts'),
      },
      rename: { summary: 'Rename a container', load: () => import('./rename.ts') },
      exec: { summary: 'Execute a command in a running container', load: () => import('./exec.ts') },
      ps: { summary: 'List containers', load: () => import('./ps.ts') },
      inspect: {
        summary: 'Return low-level information on minictr objects',
        load: () => import('./inspect.ts'),
      },
      logs: { summary: 'Fetch the logs of a container', load: () => import('./logs.ts') },
      events: { summary: 'Get real time events', load: () => import('./events.ts') },
      cp: {
        summary: 'Copy files/folders between a container and the local filesystem',
        load: () => import('./cp.ts'),
      },
      top: { summary: 'Display the running processes of a container', load: () => import('./top.ts') },
      stats: {
        summary: 'Display a live stream of container(s) resource usage statistics',
        load: () => import('./stats.ts'),
      },
      diff: {
        summary: "Inspect changes to files or directories on a container's filesystem",
        load: () => import('./diff.ts'),
      },
      port: {
        summary: 'List port mappings or a specific mapping for the container',
        load: () => import('./port.ts'),
      },
      rm: { summary: 'Remove one or more containers', load: () => import('./rm.ts') },
      pull: { summary: 'Download an image from a registry', load: () => import('./pull.ts') },
      images: { summary: 'List images', load: () => import('./images.ts') },
      rmi: { summary: 'Remove one or more images', load: () => import('./rmi.ts') },
      history: { summary: 'Show the history of an image', load: () => import('./image-history.ts') },
      login: { summary: 'Authenticate to a registry', load: () => import('./login.ts') },
      logout: { summary: 'Log out from a registry', load: () => import('./logout.ts') },
      info: { summary: 'Display system-wide information', load: () => import('./info.ts') },
      version: { summary: 'Show the minictr version information', load: () => import('./version.ts') },
      completion: {
        summary: 'Generate the completion script for a shell',
        load: () => import('./completion.ts'),
      },
    },
  },
  {
    title: 'Learning Commands',
    commands: {
      explain: {
        summary: 'Show every step of a command with its reason and its system calls, and perform none',
        load: () => import('./explain.ts'),
      },
      script: {
        summary: 'Print a shell script that does what a command does, without minictr',
        load: () => import('./script.ts'),
      },
    },
  },
]

/** What the shells' completion scripts call, monitors, and the helper; help leaves it out. */
const hidden: CommandTable = {
  [END_COMMAND]: {
    summary: 'Undo the run of a container that has ended',
    load: () => import('./end-run.ts'),
  },
  [HEALTH_COMMAND]: {
    summary: 'Probe the health of a container',
    load: () => import('./health-run.ts'),
  },
  [RESTART_COMMAND]: {
    summary: 'Start a container as its restart policy says',
    load: () => import('./restart-run.ts'),
  },
  [EXEC_ENDED_COMMAND]: {
    summary: 'Say how an exec ended that was performed without Node',
    load: () => import('./exec-ended.ts'),
  },
  __complete: { summary: 'Say which words may come next', load: () => import('./complete.ts') },
}

export type Group = {
  summary: string
  commands: CommandTable
  /** Other names of some of them, which help leaves out. */
  others?: Record<string, string>
}

const common = sections[0]!.commands

/** The commands about containers, which are there with `container` before their names as well. */
const ofContainers =
  'attach commit cp create diff exec export kill logs pause port rename restart rm run start stats stop top unpause update wait'
    .split(' ')
    .filter(name => Object.hasOwn(common, name))

/** Commands that are followed by another command's name. */
export const groups: { [name: string]: Group } = {
  container: {
    summary: 'Manage containers',
    commands: sorted({
      ...Object.fromEntries(ofContainers.map(name => [name, common[name]!])),
      inspect: {
        summary: 'Display detailed information on one or more containers',
        load: () => import('./container-inspect.ts'),
      },
      ls: common.ps!,
      prune: { summary: 'Remove all stopped containers', load: () => import('./container-prune.ts') },
    }),
    others: { list: 'ls', ps: 'ls', remove: 'rm' },
  },
  image: {
    summary: 'Manage images',
    commands: {
      'from-host': {
        summary: 'Make an image of programs of this host',
        load: () => import('./image-from-host.ts'),
      },
      history: { summary: 'Show the history of an image', load: () => import('./image-history.ts') },
      inspect: {
        summary: 'Display detailed information on one or more images',
        load: () => import('./image-inspect.ts'),
      },
      ls: { summary: 'List images', load: () => import('./images.ts') },
      pull: { summary: 'Download an image from a registry', load: () => import('./pull.ts') },
      prune: { summary: 'Remove unused images', load: () => import('./image-prune.ts') },
      rm: { summary: 'Remove one or more images', load: () => import('./rmi.ts') },
      serve: {
        summary: 'Serve the images of the store as a read-only registry',
        load: () => import('./image-serve.ts'),
      },
    },
    others: { list: 'ls', remove: 'rm' },
  },
  network: {
    summary: 'Manage networks',
    commands: {
      connect: { summary: 'Connect a container to a network', load: () => import('./network-connect.ts') },
      create: { summary: 'Create a network', load: () => import('./network-create.ts') },
      disconnect: {
        summary: 'Disconnect a container from a network',
        load: () => import('./network-disconnect.ts'),
      },
      inspect: {
        summary: 'Display detailed information on one or more networks',
        load: () => import('./network-inspect.ts'),
      },
      ls: { summary: 'List networks', load: () => import('./network-ls.ts') },
      prune: { summary: 'Remove all unused networks', load: () => import('./network-prune.ts') },
      rm: { summary: 'Remove one or more networks', load: () => import('./network-rm.ts') },
    },
    others: { list: 'ls', remove: 'rm' },
  },
  system: {
    summary: 'Manage what minictr keeps',
    commands: {
      boot: {
        summary: 'Start the containers that their restart policies want to run',
        load: () => import('./system-boot.ts'),
      },
      df: { summary: 'Show minictr disk usage', load: () => import('./system-df.ts') },
      events: { summary: 'Get real time events', load: () => import('./events.ts') },
      info: { summary: 'Display system-wide information', load: () => import('./info.ts') },
      'install-service': {
        summary: 'Have systemd start containers at each boot',
        load: () => import('./system-install-service.ts'),
      },
      prune: { summary: 'Remove unused data', load: () => import('./system-prune.ts') },
      recover: {
        summary: 'Undo what killed processes left behind',
        load: () => import('./system-recover.ts'),
      },
      shutdown: {
        summary: 'Stop all containers, until the next boot',
        load: () => import('./system-shutdown.ts'),
      },
      'uninstall-service': {
        summary: 'Have containers start at no boot any more',
        load: () => import('./system-uninstall-service.ts'),
      },
    },
  },
  volume: {
    summary: 'Manage volumes',
    commands: {
      create: { summary: 'Create a volume', load: () => import('./volume-create.ts') },
      inspect: {
        summary: 'Display detailed information on one or more volumes',
        load: () => import('./volume-inspect.ts'),
      },
      ls: { summary: 'List volumes', load: () => import('./volume-ls.ts') },
      prune: { summary: 'Remove unused local volumes', load: () => import('./volume-prune.ts') },
      rm: { summary: 'Remove one or more volumes', load: () => import('./volume-rm.ts') },
    },
    others: { list: 'ls', remove: 'rm' },
  },
}

function sorted(commands: CommandTable): CommandTable {
  return Object.fromEntries(Object.entries(commands).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export type Found =
  | { kind: 'command'; name: string; entry: CommandEntry; args: string[] }
  | { kind: 'group'; name: string; group: Group; args: string[] }
  | { kind: 'unknown'; words: string[]; candidates: string[] }

/** Finds the command that the words name, and leaves it the words after its name. */
export function findCommand(words: string[]): Found {
  const [first = '', second, ...rest] = words
  for (const commands of [...sections.map(section => section.commands), hidden]) {
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
  const name = group.others && Object.hasOwn(group.others, second) ? group.others[second]! : second
  if (Object.hasOwn(group.commands, name)) {
    return { kind: 'command', name: `${first} ${name}`, entry: group.commands[name]!, args: rest }
  }
  return { kind: 'unknown', words: [first, second], candidates: Object.keys(group.commands) }
}
