// Where host and container have to meet in a script: the host's links lead to a process that must be there first, and the
// process goes on when they are made. Two named pipes do that.

import type { Plan, Step } from '../runtime/step.ts'
import { comment } from './script-lines.ts'

/** The host's steps that stand between the container's; usually none. */
export function meetingSteps({ steps }: Plan): Step[] {
  const first = steps.findIndex(({ side }) => side === 'container')
  return steps.filter(({ side }, index) => side === 'host' && first >= 0 && index > first)
}

/** The container's step that comes after them; undefined where there are none. */
export function afterMeeting(plan: Plan): Step | undefined {
  const last = meetingSteps(plan).at(-1)
  return last && plan.steps[plan.steps.indexOf(last) + 1]
}

/** The lines that perform these steps of the host as soon as the container's process asks for it; `within` are their own. */
export function meetingLines({ steps }: Plan, meeting: Step[], within: string[]): string[] {
  return [
    '',
    ...comment(
      'What follows waits in the background until the container’s process tells its number. That goes on when all of it is done, and ends where it fails.',
    ),
    'chmod 711 "$MEETING"',
    'mkfifo -m 666 "$MEETING/pid" "$MEETING/ready"',
    // From here on all of it is undone: nothing of that minds what was not reached.
    `reached=${steps.indexOf(meeting.at(-1)!) + 1}`,
    '(',
    `trap '[ "$?" -eq 0 ] || : > "$MEETING/ready"' EXIT`,
    'read -r PID < "$MEETING/pid"',
    ...within,
    '',
    'echo done > "$MEETING/ready"',
    ') &',
    'HOST=$!',
  ]
}

/** For the end of the script. */
export const endMeeting = ['kill "$HOST" 2>/dev/null', 'rm -rf "$MEETING"']
