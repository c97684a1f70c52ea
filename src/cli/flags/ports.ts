// Flags about ports: which of the container's can be reached by which of this host's.

import { parseExpose, parsePublish } from '../../networks/ports.ts'
import type { RunFlagGroup } from './draft.ts'

export const portFlags: RunFlagGroup = {
  title: 'Ports',
  flags: [
    {
      name: 'publish',
      short: 'p',
      takes: 'list',
      about: "Publish a container's port(s) to the host ([[ADDRESS:]HOST:]PORT[/udp|/sctp])",
      set: ({ options }, text) => {
        options.publishedPorts.push(...parsePublish(text))
      },
    },
    {
      name: 'publish-all',
      short: 'P',
      about: 'Publish all exposed ports to random ports',
      turn: ({ options }, on) => {
        options.publishesAllPorts = on
      },
    },
    {
      name: 'expose',
      takes: 'list',
      about: 'Expose a port or a range of ports',
      set: ({ options }, text) => {
        options.exposedPorts.push(...parseExpose(text))
      },
    },
  ],
}
