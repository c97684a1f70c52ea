// minictr info: what there is, and what this host can do.

import { Command } from 'commander'
import { recover } from '../containers/recover.ts'
import { describeSystem, type SystemInfo } from '../containers/system-info.ts'
import { visible, visibleJson, visibleOn } from '../system/visible.ts'
import type { GlobalOptions } from './command.ts'
import { humanMemory } from './human.ts'
import { packageVersion } from './package-version.ts'
import { compileTemplate, toJson } from './template.ts'

/** The `info` command of commander. */
export function command(globals: GlobalOptions): Command {
  return new Command('info')
    .summary('Display system-wide information')
    .description('Display how many containers and images there are, and what this host can do')
    .usage('[OPTIONS]')
    .option('-f, --format <string>', "'json', or a Go template")
    .addHelpText(
      'after',
      `
Examples:
  minictr info
  minictr info --format '{{.ContainersRunning}} of {{.Containers}} run'
  minictr info --format '{{json .SecurityOptions}}'
  minictr info --format json`,
    )
    .action(({ format }: { format?: string }) => perform(format, globals))
}

async function perform(format: string | undefined, globals: GlobalOptions): Promise<void> {
  await recover(globals)
  const info = describeSystem(globals, await packageVersion())
  if (format === undefined) {
    process.stdout.write(visible(plainText(info)))
    for (const warning of info.Warnings) process.stderr.write(`${warning}\n`)
  } else if (format === 'json') {
    process.stdout.write(`${visibleJson(toJson(info))}\n`)
  } else process.stdout.write(visibleOn(process.stdout, `${compileTemplate(format)(info)}\n`))
}

/** In the order of `docker info`; what is indented belongs to the line above. Source: docker/cli, system/info.go. */
function plainText(info: SystemInfo): string {
  const { Mirrors, InsecureRegistries } = info.RegistryConfig
  const lines = [
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    `Server Version: ${info.ServerVersion}`,
    `Storage Driver: ${info.Driver}`,
    ...info.DriverStatus.map(([name, value]) => ` ${name}: ${value}`),
    `Logging Driver: ${info.LoggingDriver}`,
    `Cgroup Driver: ${info.CgroupDriver}`,
    `Cgroup Version: ${info.CgroupVersion}`,
    'Plugins:',
    ` Volume: ${info.Plugins.Volume.join(' ')}`,
    ` Network: ${info.Plugins.Network.join(' ')}`,
    ` Log: ${info.Plugins.Log.join(' ')}`,
    `Runtimes: ${[...info.Runtimes.keys()].join(' ')}`,
    `Default Runtime: ${info.DefaultRuntime}`,
    `Init Binary: ${info.InitBinary}`,
    'Security Options:',
    ...info.SecurityOptions.flatMap(securityLines),
    `Kernel Version: ${info.KernelVersion}`,
    `Operating System: ${info.OperatingSystem}`,
    `OSType: ${info.OSType}`,
    `Architecture: ${info.Architecture}`,
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${humanMemory(info.MemTotal)}`,
    `Name: ${info.Name}`,
    `Docker Root Dir: ${info.DockerRootDir}`,
    ...listed('Insecure Registries:', InsecureRegistries),
    ...listed('Registry Mirrors:', Mirrors),
    `Live Restore Enabled: ${info.LiveRestoreEnabled}`,
  ]
  return `${lines.join('\n')}\n`
}

/** `name=seccomp,profile=builtin` as a name, and below it what is said of it. */
function securityLines(option: string): string[] {
  const [name = '', ...rest] = option.split(',').map(pair => pair.split('='))
  return [
    ` ${name[1]}`,
    ...rest.map(([key = '', value]) => `  ${key[0]!.toUpperCase()}${key.slice(1)}: ${value}`),
  ]
}

function listed(title: string, values: string[]): string[] {
  return values.length > 0 ? [title, ...values.map(value => ` ${value}`)] : []
}
