// `minictr run --help`: every flag under its heading, and lines to try.

import { wrap } from '../learn/page.ts'
import { flagHelp, helpColumns } from './flag-help.ts'
import { nameOf } from './flags/flag.ts'
import { refusedFlags } from './flags/refused.ts'
import { createFlags, runFlags } from './run-flags.ts'

const examples: [line: string, about: string][] = [
  ['minictr run --rm -it debian:trixie bash', 'a shell in Debian, gone when you leave it'],
  ['minictr run -d -p 8080:80 --name web web:latest', "reached at this host's port 8080"],
  ['minictr run --rm --network web debian:trixie getent hosts db', 'in a network, where others have names'],
  ['minictr run --rm --network host debian:trixie apt-get update', "with this host's network"],
  ['minictr run --rm -v "$PWD":/src:ro -w /src debian:trixie ls -l', 'this directory, to read only'],
  ['minictr run --rm -m 256m --cpus 0.5 --pids-limit 64 debian:trixie sh', 'with limits'],
  ['minictr run --rm --read-only --tmpfs /tmp --cap-drop ALL debian:trixie id', 'with little power'],
  [
    'minictr run -d --name web -p 8080:80 --restart unless-stopped nginx',
    'in the background, started again when it ends; port 8080 of this host is its port 80',
  ],
  [
    'minictr run -d --name db --network back -v data:/srv debian:trixie ./serve',
    'in a network that was made, where others find it as db, with a volume that outlives it',
  ],
  ['minictr run --rm --network none debian:trixie ls', 'with no network but a loopback'],
  ['minictr run --rm --step debian:trixie true', 'one step at a time'],
]

/** The text of `minictr run --help`. */
export function runHelp(): string {
  return flagHelp({
    name: 'minictr run',
    usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    summary: 'Create and run a new container from an image',
    groups: runFlags,
    remarks: refusals(helpColumns()),
    examples,
  })
}

/** The text of `minictr create --help`. */
export function createHelp(): string {
  return flagHelp({
    name: 'minictr create',
    usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    summary: 'Create a new container',
    groups: createFlags,
    remarks: refusals(helpColumns()),
    examples: [
      [
        'minictr create --name web -v data:/srv debian:trixie ./serve',
        'made, and started later: minictr start web',
      ],
      ['minictr start -a $(minictr create debian:trixie date)', 'its id is what create prints'],
    ],
  })
}

/** What Docker has and minictr has not: the flags of one reason together, with the reason below. */
function refusals(columns: number): string[] {
  const flags = refusedFlags.flags.flatMap(flag => ('refuses' in flag && !flag.isHidden ? [flag] : []))
  const reasons = [...new Set(flags.map(({ refuses }) => refuses))]
  return [
    `${refusedFlags.title}:`,
    ...reasons.flatMap(reason => {
      const names = flags.filter(({ refuses }) => refuses === reason).map(nameOf)
      return [
        ...wrap(names.join(', '), columns - 2).map(line => `  ${line}`),
        ...wrap(reason, columns - 6).map(line => `      ${line}`),
      ]
    }),
  ]
}
