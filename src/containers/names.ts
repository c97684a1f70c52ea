// Friendly names for containers that were not given one: a mood and a person of computing's history.

const moods =
  'agile amber balanced bold brave bright calm candid careful clever cosy curious daring eager earnest fair fond frank gentle glad hearty honest jolly keen kind lively lucid merry mild modest nimble patient plucky polite proud quick quiet ready serene sharp sincere steady sunny swift tidy upbeat vivid warm wise witty'
const people =
  'aho allen babbage backus bell bernerslee boole cerf codd conway cray dijkstra engelbart floyd gosling hamilton hamming hoare hopper iverson jacobson johnson kay kernighan kilburn knuth lamport lampson liskov lovelace mauchly mccarthy mcilroy metcalfe milner minsky moore naur noether ousterhout perlis perlman pike postel ritchie shannon simon stallman steele stroustrup sutherland tanenbaum tarjan thompson torvalds turing ullman vonneumann wilkes wirth zuse'

/** A name such as `calm_hopper`, the choice made by two random bytes or more. */
export function friendlyName(random: Uint8Array): string {
  const mood = moods.split(' ')
  const person = people.split(' ')
  return `${mood[random[0]! % mood.length]}_${person[random[1]! % person.length]}`
}
