// minictr version: which minictr this is, and what it runs on.

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { hostArchitecture } from '../system/host-facts.ts'
import type { GlobalOptions } from './command.ts'
import { packageVersion } from './package-version.ts'
import { compileTemplate, toJson } from './template.ts'

/** The `version` command of commander. */
export function command(_: GlobalOptions): Command {
  return new Command('version')
    .summary('Show the minictr version information')
    .description('Show which minictr this is, and what it runs on')
    .usage('[OPTIONS]')
    .option('-f, --format <string>', "'json', or a Go template")
    .addHelpText(
      'after',
      `
There is no server: Client and Server of templates are the same program.

Examples:
  minictr version
  minictr version --format '{{.Server.Version}}'
  minictr version --format json`,
    )
    .action(({ format }: { format?: string }) => perform(format))
}

async function perform(format: string | undefined): Promise<void> {
  const facts = await versionFacts()
  if (format === undefined) process.stdout.write(plainText(facts))
  else if (format === 'json') process.stdout.write(`${toJson(facts)}\n`)
  else process.stdout.write(`${compileTemplate(format)(facts)}\n`)
}

type Facts = Awaited<ReturnType<typeof versionFacts>>

/** With Docker's names for what there is of it. Source: Docker Engine API, "Get version". */
async function versionFacts() {
  const Version = await packageVersion()
  const Arch = hostArchitecture()
  const KernelVersion = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  const client = { Version, NodeVersion: process.version, Os: 'linux', Arch }
  return {
    Client: client,
    Server: {
      Platform: { Name: 'minictr' },
      Components: [
        {
          Name: 'Engine',
          Version,
          Details: new Map([
            ['Arch', Arch],
            ['KernelVersion', KernelVersion],
            ['NodeVersion', process.version],
            ['Os', 'linux'],
          ]),
        },
      ],
      ...client,
      KernelVersion,
    },
  }
}

function plainText({ Server }: Facts): string {
  const rows = [
    ['Version:', Server.Version],
    ['Node version:', Server.NodeVersion],
    ['OS/Arch:', `${Server.Os}/${Server.Arch}`],
    ['Kernel version:', Server.KernelVersion],
  ]
  return `minictr:\n${rows.map(([name, value]) => ` ${name!.padEnd(19)}${value}\n`).join('')}`
}
