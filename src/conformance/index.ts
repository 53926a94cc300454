export { ConformanceError, type ConformanceErrorCode } from './conformance-error.ts'
export { listedChecks, runConformance, uncheckedRules, type ConformanceOptions } from './conformance.ts'
export type { Breach, CheckResult, ConformanceReport, ListedCheck, UncheckedRule } from './report.ts'
