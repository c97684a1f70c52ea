// Flags about power: capabilities, privileges, seccomp, devices, kernel parameters.

import type { RunOptions } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import { parseDevice, parseDeviceCgroupRule } from './device.ts'
import type { RunFlagGroup } from './draft.ts'
import { parseSecurityOption } from './security-option.ts'
import { splitVariable } from './variables.ts'

export const securityFlags: RunFlagGroup = {
  title: 'Security',
  flags: [
    {
      name: 'cap-add',
      takes: 'list',
      about: 'Add Linux capabilities',
      set: ({ options }, name) => {
        options.capabilitiesToAdd.push(name)
      },
    },
    {
      name: 'cap-drop',
      takes: 'list',
      about: 'Drop Linux capabilities',
      set: ({ options }, name) => {
        options.capabilitiesToDrop.push(name)
      },
    },
    {
      name: 'privileged',
      about: 'Give extended privileges to this container',
      turn: ({ options }, on) => {
        options.privileged = on
      },
    },
    {
      name: 'security-opt',
      takes: 'list',
      about:
        'Security Options (no-new-privileges, seccomp=unconfined|FILE, systempaths=unconfined, apparmor=unconfined, label=disable)',
      set: ({ options }, text) => parseSecurityOption(options, text),
    },
    {
      name: 'device',
      takes: 'list',
      about: 'Add a host device to the container',
      set: ({ options }, text) => {
        options.devices.push(parseDevice(text))
      },
    },
    {
      name: 'device-cgroup-rule',
      takes: 'list',
      about: 'Add a rule to the cgroup allowed devices list',
      set: ({ options }, text) => {
        options.deviceCgroupRules.push(parseDeviceCgroupRule(text))
      },
    },
    {
      name: 'sysctl',
      takes: 'map',
      about: 'Sysctl options',
      set: ({ options }, text) => setSysctl(options, text),
    },
  ],
}

function setSysctl({ sysctls }: RunOptions, text: string): void {
  const [name, value] = splitVariable(text)
  if (name === '' || !text.includes('=')) throw new MinictrError(`sysctl '${text}' is not allowed`)
  sysctls[name] = value
}
