// Flags of `network create` that belong together: which gateway, range and address lies in which subnet.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { combineSubnets, type SubnetFlags } from '../../../src/networks/subnets.ts'

const nothing: SubnetFlags = { subnets: [], ipRanges: [], gateways: [], auxiliaryAddresses: {} }
const combine = (flags: Partial<SubnetFlags>) => combineSubnets({ ...nothing, ...flags })

describe('flags about subnets', () => {
  it('belong to the subnet they lie in, in any order', () => {
    assert.deepEqual(
      combine({
        subnets: ['10.1.0.0/16', 'fd00::/64'],
        ipRanges: ['fd00::8000/113', '10.1.5.0/24'],
        gateways: ['fd00::1', '10.1.0.254'],
        auxiliaryAddresses: { router: '10.1.0.9', other: 'fd00::9' },
      }),
      [
        {
          subnet: '10.1.0.0/16',
          ipRange: '10.1.5.0/24',
          gateway: '10.1.0.254',
          auxiliaryAddresses: { router: '10.1.0.9' },
        },
        {
          subnet: 'fd00::/64',
          ipRange: 'fd00::8000/113',
          gateway: 'fd00::1',
          auxiliaryAddresses: { other: 'fd00::9' },
        },
      ],
    )
  })

  it('may be none at all', () => assert.deepEqual(combine({}), []))

  it('leave one subnet alone to be checked later', () => {
    assert.deepEqual(combine({ subnets: ['x'] }), [{ subnet: 'x', auxiliaryAddresses: {} }])
  })

  const refused: [flags: Partial<SubnetFlags>, message: string][] = [
    [{ gateways: ['10.1.0.1'] }, 'every ip-range or gateway must have a corresponding subnet'],
    [
      { subnets: ['10.1.0.0/24'], ipRanges: ['10.1.0.0/25', '10.1.0.128/25'] },
      'every ip-range or gateway must have a corresponding subnet',
    ],
    [{ subnets: ['10.1.0.0/24'], gateways: ['10.2.0.1'] }, 'no matching subnet for gateway 10.2.0.1'],
    [{ subnets: ['10.1.0.0/24'], gateways: ['x'] }, 'no matching subnet for gateway x'],
    [{ subnets: ['10.1.0.0/24'], ipRanges: ['10.2.0.0/25'] }, 'no matching subnet for range 10.2.0.0/25'],
    [{ subnets: ['10.1.0.0/24'], ipRanges: ['10.1.0.9'] }, 'invalid CIDR address: 10.1.0.9'],
    [
      { subnets: ['10.1.0.0/24'], auxiliaryAddresses: { a: '10.2.0.9' } },
      'no matching subnet for aux-address 10.2.0.9',
    ],
    [
      { subnets: ['10.1.0.0/24'], auxiliaryAddresses: { '10.1.0.9': '' } },
      'no matching subnet for aux-address ',
    ],
    [
      { subnets: ['10.1.0.0/24', '10.1.0.0/25'] },
      'multiple overlapping subnet configuration is not supported',
    ],
    [{ subnets: ['10.1.0.0/24', 'x'] }, 'invalid CIDR address: x'],
    [
      { subnets: ['10.1.0.0/24', '10.2.0.0/24'], gateways: ['10.1.0.1', '10.1.0.2'] },
      'cannot configure multiple gateways (10.1.0.2, 10.1.0.1) for the same subnet (10.1.0.0/24)',
    ],
    [
      { subnets: ['10.1.0.0/24', '10.2.0.0/24'], ipRanges: ['10.1.0.0/25', '10.1.0.128/25'] },
      'cannot configure multiple ranges (10.1.0.128/25, 10.1.0.0/25) on the same subnet (10.1.0.0/24)',
    ],
  ]
  for (const [flags, message] of refused) {
    it(`are refused: ${message}`, () => assert.throws(() => combine(flags), { message }))
  }
})
