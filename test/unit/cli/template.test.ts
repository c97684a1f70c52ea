import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { goTime, humanDuration, humanMemory, humanSize } from '../../../src/cli/human.ts'
import { formatRows, labelTitle } from '../../../src/cli/table.ts'
import { compileTemplate } from '../../../src/cli/template.ts'
import { NilList, NilMap } from '../../../src/images/nil.ts'

const data = {
  ID: 'abc',
  RepoTags: ['a:1', 'b:2'],
  Config: {
    Labels: new Map([
      ['z', 'last'],
      ['a', 'first'],
    ]),
    Cmd: ['sh', '-c'],
    Env: null,
    User: '',
  },
  Nil: { List: new NilList(), Map: new NilMap() },
  Size: 12,
  Label: (name: unknown) => data.Config.Labels.get(String(name)) ?? '',
}

describe('a Go template', () => {
  const filled: [template: string, result: string][] = [
    ['plain', 'plain'],
    ['{{.ID}}-{{.Size}}', 'abc-12'],
    ['{{.Config.Cmd}}', '[sh -c]'],
    ['{{json .RepoTags}}', '["a:1","b:2"]'],
    ['{{json .Config}}', '{"Labels":{"z":"last","a":"first"},"Cmd":["sh","-c"],"Env":null,"User":""}'],
    ['{{.Config.Env}}', '<nil>'],
    ['{{.Nil.List}} {{len .Nil.List}} {{range .Nil.List}}x{{else}}none{{end}}', '[] 0 none'],
    ['{{.Nil.Map}} {{len .Nil.Map}} {{join .Nil.List ","}}{{index .Nil.Map "a"}}', 'map[] 0 '],
    ['{{json .Nil}} {{json .Nil.List}}', '{"List":null,"Map":null} null'],
    ['{{.Config.Labels}}', 'map[a:first z:last]'],
    ['{{index .Config.Labels "z"}}{{index .Config.Labels "none"}}', 'last'],
    ['{{.Config.Labels.none}} {{.Config.Labels.none.Deep}}', '<no value> <no value>'],
    ['{{json .Config.Labels.none}}{{if .Config.Labels.none}}yes{{else}}no{{end}}', 'nullno'],
    ['{{index .RepoTags 1}}', 'b:2'],
    ['{{range .RepoTags}}<{{.}}>{{end}}', '<a:1><b:2>'],
    ['{{range $i, $tag := .RepoTags}}{{$i}}={{$tag}} {{end}}', '0=a:1 1=b:2 '],
    ['{{range $key, $value := .Config.Labels}}{{$key}}:{{$value}},{{end}}', 'a:first,z:last,'],
    ['{{range .Config.Env}}x{{else}}none{{end}}', 'none'],
    ['{{if .Config.User}}user{{else if eq .Size 12}}twelve{{else}}other{{end}}', 'twelve'],
    ['{{if and .ID (not .Config.User)}}yes{{end}}', 'yes'],
    ['{{if or .Config.User .Config.Env}}yes{{else}}no{{end}}', 'no'],
    ['{{if and .Config.Env .Config.Env.Deep}}yes{{else}}no{{end}}', 'no'],
    ['{{if or .ID .Nothing}}yes{{end}}', 'yes'],
    ['{{$x := 1}}{{range .RepoTags}}{{$x = .}}{{end}}{{$x}}', 'b:2'],
    ['{{$x := 1}}{{range .RepoTags}}{{$x := .}}{{end}}{{$x}}', '1'],
    ['{{$c := ""}}{{range .RepoTags}}{{$c}}{{.}}{{$c = ","}}{{end}}', 'a:1,b:2'],
    ['{{range .RepoTags}}{{.}}{{break}}x{{end}}!', 'a:1!'],
    ['{{range .RepoTags}}{{if eq . "a:1"}}{{continue}}{{end}}{{.}}{{end}}', 'b:2'],
    ['{{range .RepoTags}}{{range $.Config.Cmd}}{{.}}{{break}}{{end}}{{.}} {{end}}', 'sha:1 shb:2 '],
    ['{{print 1 2 "a" "b" 3 true}}', '1 2ab3 true'],
    ['{{with .Config}}{{.User}}{{len .Cmd}} of {{$.ID}}{{end}}', '2 of abc'],
    ['{{$x := .ID}}{{$x | upper}}', 'ABC'],
    ['{{.ID | printf "%s=%q" "id"}}', 'id="abc"'],
    [
      '{{printf "%-5s|%5d|%05d|%.2s|%x|%X|%+d" .ID .Size .Size .ID .ID 255 1}}',
      'abc  |   12|00012|ab|616263|FF|+1',
    ],
    ['{{printf "%.2f %v %t %% %d" 1.5 .RepoTags true "x"}}', '1.50 [a:1 b:2] true % %!d(x)'],
    ['{{printf "%s"}}', '%!s(MISSING)'],
    ['{{slice .ID 1}} {{slice .ID 1 2}} {{slice .RepoTags 1}}', 'bc b [b:2]'],
    ['{{join .Config.Cmd ", "}}', 'sh, -c'],
    ['{{join (split "a/b/c" "/") "+"}}', 'a+b+c'],
    ['{{truncate .ID 2}}{{pad "x" 1 2}}{{title "word"}}{{lower "ABC"}}', 'ab x  Wordabc'],
    ['{{ne .Size 1}} {{lt .Size 20}} {{ge .Size 12}} {{eq .ID "x" "abc"}}', 'true true true true'],
    ['a {{- .ID -}} b', 'aabcb'],
    ['{{/* nothing */}}{{"}}"}}{{`raw`}}{{println "x"}}', '}}rawx\n'],
    ['{{(index .RepoTags 0)}}{{true}}', 'a:1true'],
    ['{{.Label "a"}} {{"z" | .Label}} {{upper (.Label "a")}}', 'first last FIRST'],
    [
      '{{json .}}',
      '{"ID":"abc","RepoTags":["a:1","b:2"],"Config":{"Labels":{"z":"last","a":"first"},"Cmd":["sh","-c"],"Env":null,"User":""},"Nil":{"List":null,"Map":null},"Size":12}',
    ],
  ]
  for (const [template, result] of filled) {
    it(template, () => assert.equal(compileTemplate(template)(data), result))
  }

  const wrong: [template: string, message: RegExp][] = [
    ['{{.Nothing}}', /there is no field \.Nothing here/],
    ['{{.ID.Deep}}', /there is no field \.Deep here/],
    ['{{.ID', /unclosed action/],
    ['{{if .ID}}x', /\{\{if\}\} without \{\{end\}\}/],
    ['{{end}}', /unexpected \{\{end\}\}/],
    ['{{}}', /missing value/],
    ['{{nothing .ID}}', /function "nothing" not defined/],
    ['{{.ID .Size}}', /can't give an argument/],
    ['{{$x}}', /undefined variable "\$x"/],
    ['{{$x = 1}}', /undefined variable "\$x"/],
    ['{{if .ID}}{{break}}{{end}}', /\{\{break\}\} outside \{\{range\}\}/],
    ['{{range .Size}}{{end}}', /can't iterate/],
    ['{{index .RepoTags 7}}', /out of range/],
    ['{{define "x"}}{{end}}', /not supported/],
    ['{{.ID ~}}', /unexpected "~"/],
  ]
  for (const [template, message] of wrong) {
    it(`${template} is refused`, () => assert.throws(() => compileTemplate(template)(data), message))
  }
})

describe('the format of a list', () => {
  const titles = { ID: 'IMAGE ID', Size: 'SIZE' }
  const rows = [
    { ID: 'abc', Size: '1MB' },
    { ID: 'longer', Size: '20MB' },
  ]
  it('is a table with titles, a template for each row, or JSON', () => {
    assert.equal(
      formatRows(rows, 'table {{.ID}}\t{{.Size}}', titles),
      'IMAGE ID   SIZE\nabc        1MB\nlonger     20MB\n',
    )
    assert.equal(formatRows(rows, '{{.Size}}\\t{{.ID}}', titles), '1MB\tabc\n20MB\tlonger\n')
    assert.equal(formatRows(rows.slice(1), 'json', titles), '{"ID":"longer","Size":"20MB"}\n')
    assert.equal(formatRows(rows.slice(1), ' table{{.ID}} '.trim(), titles), 'IMAGE ID\nlonger\n')
    assert.equal(formatRows(rows.slice(1), ' {{.ID}} ', titles), 'longer\n')
    assert.equal(formatRows([], 'table {{.ID}}\t{{.Size}}', titles), 'IMAGE ID   SIZE\n')
  })

  it('leaves titles as they are, whatever is done with the values', () => {
    assert.equal(
      formatRows(rows, 'table {{upper .ID}}\t{{truncate .Size 1}}', titles),
      'IMAGE ID   SIZE\nABC        1\nLONGER     2\n',
    )
  })

  it('has titles for labels', () => {
    assert.deepEqual(['use', 'com.example.some-use_case'].map(labelTitle), ['use', 'some use case'])
  })
})

describe('numbers for people', () => {
  it('count memory in powers of two, sums of files with four digits', () => {
    assert.deepEqual([0, 1023, 388 * 1024, 64 * 1024 ** 2, 25_276_502_016].map(humanMemory), [
      '0B',
      '1023B',
      '388KiB',
      '64MiB',
      '23.54GiB',
    ])
    assert.deepEqual(
      [8_757_578, 3].map(bytes => humanSize(bytes, 4)),
      ['8.758MB', '3B'],
    )
    assert.equal(goTime(Date.parse('2026-11-27T15:48:51.999Z')), '2026-11-27 15:48:51 +0000 UTC')
  })

  it('are Docker’s', () => {
    assert.deepEqual(
      [0, 999, 1000, 123_758_080, 1_234_567_890].map(bytes => humanSize(bytes)),
      ['0B', '999B', '1kB', '124MB', '1.23GB'],
    )
    const second = 1000
    const hour = 3600 * second
    const day = 24 * hour
    assert.deepEqual(
      [
        10,
        second,
        45 * second,
        60 * second,
        59 * 60 * second,
        hour,
        47 * hour,
        3 * day,
        15 * day,
        65 * day,
        800 * day,
      ].map(humanDuration),
      [
        'Less than a second',
        '1 second',
        '45 seconds',
        'About a minute',
        '59 minutes',
        'About an hour',
        '47 hours',
        '3 days',
        '2 weeks',
        '2 months',
        '2 years',
      ],
    )
  })
})
