// The line of a volume in a list: the fields that templates can name, and the titles of their columns.

import type { Volume } from '../volumes/volume.ts'

/** The titles of the columns. Source: docker/cli, formatter/volume.go. */
export const VOLUME_TITLES = {
  Availability: 'AVAILABILITY',
  Driver: 'DRIVER',
  Group: 'GROUP',
  Labels: 'LABELS',
  Links: 'LINKS',
  Mountpoint: 'MOUNTPOINT',
  Name: 'VOLUME NAME',
  Scope: 'SCOPE',
  Size: 'SIZE',
  Status: 'STATUS',
}

const UNKNOWN = 'N/A'

/** The line of one volume; who uses it, and its size, are not looked up. */
export function volumeRow(
  { name, driver, labels }: Volume,
  mountpoint: string,
): Record<keyof typeof VOLUME_TITLES, string> {
  return {
    Availability: UNKNOWN,
    Driver: driver,
    Group: UNKNOWN,
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    Links: UNKNOWN,
    Mountpoint: mountpoint,
    Name: name,
    Scope: 'local',
    Size: UNKNOWN,
    Status: UNKNOWN,
  }
}
