/**
 * The import rules of the house. Each folder says what it may import; everything else is refused, so that a new
 * dependency is a decision and not an accident. A folder of src/ without a rule here is refused as well.
 */

const npm = (name) => `(^|/)node_modules/(@types/)?${name}/`
const xstate = npm('xstate')
const ports = '^src/runtime/ports/'

/** `from` may import what matches one of `to`, and nothing else. */
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to: { pathNot: to } })

module.exports = {
  forbidden: [
    only(
      'machines-alone',
      'A chart imports xstate and nothing else, its siblings neither: it opens as it is in Stately Studio.',
      { path: '^machines/', pathNot: '^machines/index\\.ts$' },
      [xstate],
    ),
    only('machines-index', 'The index lists the charts.', { path: '^machines/index\\.ts$' }, ['^machines/']),
    only('protocol', 'The words run in a browser and know nobody.', { path: '^src/protocol/' }, [
      '^src/protocol/',
      npm('superjson'),
    ]),
    only('runtime', 'The trunk knows no socket library and no Node server.', { path: '^src/runtime/' }, [
      '^src/runtime/',
      '^src/protocol/',
      '^machines/',
      xstate,
      npm('nanoid'),
      npm('@standard-schema'),
      '^(node:)?buffer$',
    ]),
    only('transports', "Transports stand on the runtime's ports, not on its insides.", { path: '^src/transports/' }, [
      '^src/transports/',
      '^src/protocol/',
      ports,
      npm('ws'),
      '^(node:)?(buffer|http|https|net|stream|tls)$',
    ]),
    only(
      'transport-memory',
      'The network within one process needs neither ws nor Node.',
      { path: '^src/transports/memory' },
      ['^src/transports/memory', '^src/protocol/', ports],
    ),
    only('storage', "Stores stand on the runtime's ports, and on the packages that write.", { path: '^src/storage/' }, [
      '^src/storage/',
      '^src/protocol/',
      '^machines/',
      ports,
      npm('lmdb'),
      npm('nanoid'),
      '^(node:)?(buffer|crypto|fs|os|path)$',
    ]),
    only(
      'auth',
      "Checks of credentials stand on the runtime's ports, and on a library that knows tokens.",
      { path: '^src/auth/' },
      ['^src/auth/', '^machines/', ports, npm('jose'), npm('nanoid')],
    ),
    only('client', 'The client runs in a browser: no node:, no ws, no nanoid.', { path: '^src/client/' }, [
      '^src/client/',
      '^src/protocol/',
      '^machines/',
      xstate,
    ]),
    only(
      'conformance',
      'Who checks a server knows the words, sockets, and nothing of how ours is made.',
      { path: '^src/conformance/' },
      ['^src/conformance/', '^src/protocol/', npm('ws'), '^(node:)?(buffer|crypto|http|https|stream|util)$'],
    ),
    only('testing', 'What tests are made of stands on all of src.', { path: '^src/testing/' }, [
      '^src/',
      '^machines/',
      xstate,
      npm('fast-check'),
    ]),
    only(
      'composition-root',
      'Only here do the runtime, its transports and a Node server meet.',
      { path: '^src/(create-runtime|index)\\.ts$' },
      [
        '^src/(create-runtime|index)\\.ts$',
        '^src/(runtime|transports|protocol)/',
        '^machines/',
        '^(node:)?(http|https|net)$',
      ],
    ),
    {
      name: 'folder-without-rule',
      comment: 'A folder of src/ is an import rule and an entry point. Add the rule for this one.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/((protocol|runtime|transports|storage|auth|client|testing|conformance)/|(create-runtime|index)\\.ts$)',
      },
      to: {},
    },
    {
      name: 'package-from-outside',
      comment: 'What ships imports nothing of what does not.',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { path: '^(test|examples|bench|scripts|docs|dist)/' },
    },
    {
      name: 'dev-dependency',
      comment: 'What ships imports nothing that a user does not have.',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'examples-by-entry-points',
      comment: 'Examples use what users can use.',
      severity: 'error',
      from: { path: '^examples/' },
      to: {
        path: '^(src|machines)/',
        pathNot:
          '^(src/(index|transports/(ws|memory)|storage/lmdb|(auth|client|protocol|testing|conformance)/index)|machines/index)\\.ts$',
      },
    },
    {
      name: 'cycle',
      comment: 'Two modules that need each other are one module. Types may know each other.',
      severity: 'error',
      from: { path: '^(src|machines|test|examples|bench|scripts)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'unresolvable',
      comment: 'A path that leads nowhere, or a package that is not installed.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|test/artifacts)/' },
    // A type-only import is a dependency too: the words must not know the trunk, not even by type.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
    skipAnalysisNotInRules: true,
  },
}
