// minictr pause: has all processes of containers stand still.

import { pausing } from './pausing.ts'

export const saysLittle = true

export const { command, subject } = pausing('pause', {
  summary: 'Pause all processes within one or more containers',
  title: 'The pause of a container',
  examples: `\
  minictr pause web                all its processes stand still where they are; no signal is sent
  minictr unpause web              and go on
  minictr explain pause web        which steps that takes, performing none`,
})
