// In the bundle, in place of node:child_process for commander (bundle.ts).
export default {}
