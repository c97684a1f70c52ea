// minictr login: prove who you are to a registry, and keep the proof where Docker keeps it.

import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { readConfiguration } from '../images/configuration.ts'
import { type Credentials, credentialsFile, findCredentials, saveCredentials } from '../images/credentials.ts'
import { checkLogin } from '../images/login.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'
import { ask, askSecret } from './question.ts'
import { usageError } from './usage-error.ts'

type Flags = { username?: string; password?: string; passwordStdin?: boolean }

/** The `login` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('login')
    .summary('Authenticate to a registry')
    .description('Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.')
    .usage('[OPTIONS] [SERVER]')
    .argument('[server]', 'the registry: HOST[:PORT]')
    .option('-p, --password <string>', 'Password or Personal Access Token (PAT)')
    .option('--password-stdin', 'Take the Password or Personal Access Token (PAT) from stdin')
    .option('-u, --username <string>', 'Username')
    .addHelpText(
      'after',
      `
Examples:
  minictr login                                      Docker Hub; asks for name and password
  minictr login registry.example:5000
  minictr login -u me --password-stdin ghcr.io < token-file

What is accepted is kept in Docker's own file, ~/.docker/config.json (or
$DOCKER_CONFIG/config.json), readable by you alone, or in the credential helper
that credsStore or credHelpers name there; docker and minictr share it.`,
    )
    .action((server: string | undefined, flags: Flags) => perform(server ?? '', flags, globals))
}

async function perform(server: string, flags: Flags, globals: GlobalOptions): Promise<void> {
  const { password, passwordStdin, username } = flags
  if (password !== undefined) {
    process.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n')
    if (passwordStdin)
      throw usageError('--password and --password-stdin are mutually exclusive', 'minictr login')
  }
  if (passwordStdin && !username)
    throw usageError('Must provide --username with --password-stdin', 'minictr login')
  const configuration = readConfiguration(globals.configFile)
  const stored =
    username === undefined && password === undefined
      ? await findCredentials(server || 'docker.io')
      : undefined
  if (stored) {
    const who = stored.kind === 'password' ? ` [Username: ${stored.username}]` : ''
    process.stdout.write(`Authenticating with existing credentials...${who}\n`)
    await checkLogin(server, stored, configuration)
  } else {
    const given = await credentialsFrom(flags)
    await checkLogin(server, given, configuration)
    await keep(server, given)
  }
  process.stdout.write('Login Succeeded\n')
}

async function credentialsFrom({ username, password, passwordStdin }: Flags): Promise<Credentials> {
  const isComplete = username !== undefined && (password !== undefined || passwordStdin)
  if (!isComplete && !process.stdin.isTTY) {
    throw new MinictrError('Cannot ask for a password: standard input is not a terminal', {
      remedy: 'Give the name with --username and the password with --password-stdin.',
    })
  }
  const name = username ?? (await ask('Username: '))
  const secret = passwordStdin
    ? (await text(process.stdin)).replace(/\r?\n$/, '')
    : (password ?? (await askSecret('Password: ')))
  if (name === '' || secret === '') throw new MinictrError('User name and password may not be empty')
  return { kind: 'password', username: name, password: secret }
}

async function keep(server: string, credentials: Credentials): Promise<void> {
  const helper = await saveCredentials(server, credentials)
  if (helper !== undefined) return
  process.stderr.write(
    `\nWARNING! Your credentials are stored unencrypted in '${credentialsFile()}'.\n` +
      'Configure a credential helper (credsStore) to remove this warning.\n\n',
  )
}
