// minictr unpause: lets the processes of paused containers go on.

import { pausing } from './pausing.ts'

export const saysLittle = true

export const { command, subject } = pausing('unpause', {
  summary: 'Unpause all processes within one or more containers',
  title: 'The going on of a paused container',
  examples: `\
  minictr unpause web              its processes go on where they stood still
  minictr explain unpause web      which steps that takes, performing none`,
})
