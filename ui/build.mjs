// Builds the element, its on-demand parts and the playground into chatkit_asgi/playground/static.
//   node build.mjs            once        node build.mjs --watch   at every change
//   node build.mjs --test     bundle tests/*.test.ts and run them with node's test runner
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, '../chatkit_asgi/playground/static');
const common = {
  absWorkingDir: here,
  bundle: true,
  target: 'es2022',
  logLevel: 'warning',
  legalComments: 'none', // in licenses.txt, whole
  charset: 'utf8',
};

/** Template literals of CSS and HTML keep their line breaks otherwise; a third of the style sheet is indentation. */
const squeeze = {
  name: 'squeeze',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const lines = (source) => source.replace(/\/\*(?!!)[^]*?\*\//g, '').replace(/\s*\n\s*/g, '\n');
      return { loader: 'ts', contents: text.replace(/css`([^`]*)`/g, (_, css) => `css\`${lines(css).replace(/\n/g, ' ')}\``) };
    });
  },
};

function bundles() {
  const lazy = readdirSync(join(here, 'src/lazy')).map((name) => `src/lazy/${name}`);
  const minify = { ...common, minify: true, plugins: [squeeze], outdir: out };
  return [
    { ...minify, entryPoints: ['src/chatkit.ts'], format: 'iife', define: { IS_MODULE: 'false' }, metafile: true },
    {
      ...minify,
      entryPoints: { 'chatkit-module': 'src/chatkit.ts' },
      format: 'esm',
      define: { IS_MODULE: 'true' },
    },
    { ...minify, entryPoints: lazy, format: 'esm', metafile: true },
    { ...minify, entryPoints: ['src/playground/playground.ts'], format: 'iife' },
  ];
}

/** What is bundled, with its licence. */
function licenses(results) {
  const names = new Set();
  for (const { metafile } of results)
    for (const path of Object.keys(metafile?.inputs ?? {})) {
      const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
      if (found) names.add(found[1]);
    }
  return [...names]
    .sort()
    .map((name) => {
      const folder = join(here, 'node_modules', name);
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8') : ''}`;
    })
    .join(`\n${'-'.repeat(78)}\n\n`);
}

function sizes() {
  const rows = readdirSync(out).filter((name) => name.endsWith('.js')).sort();
  return Object.fromEntries(
    rows.map((name) => {
      const bytes = readFileSync(join(out, name));
      return [name, { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }];
    }),
  );
}

async function build() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const results = await Promise.all(bundles().map((each) => esbuild.build(each)));
  for (const name of ['playground.html', 'playground.css']) cpSync(join(here, 'src/playground', name), join(out, name));
  writeFileSync(join(out, 'licenses.txt'), licenses(results));
  writeFileSync(join(out, 'sizes.json'), JSON.stringify(sizes(), null, 2));
}

async function test() {
  const folder = join(here, 'node_modules/.tests');
  rmSync(folder, { recursive: true, force: true });
  const names = readdirSync(join(here, 'tests')).filter((name) => name.endsWith('.test.ts'));
  await esbuild.build({
    ...common,
    entryPoints: names.map((name) => `tests/${name}`),
    platform: 'node',
    format: 'esm',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    define: { IS_MODULE: 'true' },
  });
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  execFileSync(process.execPath, ['--test', ...files.map((name) => join(folder, name))], { stdio: 'inherit' });
}

if (process.argv.includes('--test')) await test();
else if (process.argv.includes('--watch')) {
  await build();
  for (const each of bundles()) await (await esbuild.context(each)).watch();
} else await build();
