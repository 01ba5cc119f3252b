// Builds the element, its on-demand parts and the playground into chatkit_asgi/playground/static.
//   node build.mjs            once        node build.mjs --watch   at every change
//   node build.mjs --test     bundle tests/*.test.ts and run them with node's test runner
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
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

/** The style sheets are template literals, which esbuild leaves as they are. */
const squeeze = {
  name: 'squeeze',
  setup(build) {
    build.onLoad({ filter: /\/src\/theme\/.*\.ts$/ }, ({ path }) => {
      const tight = (css) => css.replace(/\s+/g, ' ').replace(/ ?([{};]) ?/g, '$1').replace(/([a-z-]+): /g, '$1:');
      const contents = readFileSync(path, 'utf8').replace(/css`([^`]*)`/g, (_, css) => `css\`${tight(css)}\``);
      return { loader: 'ts', contents };
    });
  },
};

/** esbuild would put every icon of lucide into the chunk of those that are always needed: the rest are own bundles. */
const icons = {
  name: 'icons',
  setup: (build) =>
    build.onResolve({ filter: /\/lazy\/(icons|lucide)$/ }, ({ path }) => ({ path: `./${basename(path)}.js`, external: true })),
};

function bundles() {
  const minify = { ...common, minify: true, plugins: [squeeze], outdir: out, format: 'esm', metafile: true };
  return [
    {
      ...minify,
      plugins: [squeeze, icons],
      entryPoints: { element: 'src/chatkit.ts', playground: 'src/playground/playground.ts' },
      splitting: true,
      chunkNames: '[name]-[hash]', // all in one folder: the external ones are siblings of whichever chunk asks
    },
    { ...minify, entryPoints: ['src/lazy/icons.ts', 'src/lazy/lucide.ts'] },
  ];
}

/** Outputs that the element needs before it can draw, itself among them. */
function main({ outputs }) {
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const each of outputs[path].imports) if (each.kind === 'import-statement' && !each.external) visit(each.path);
  };
  visit(Object.keys(outputs).find((path) => outputs[path].entryPoint === 'src/chatkit.ts'));
  return [...found];
}

/**
 * The script that pages name, as they name the hosted one: without type=module or with it. import() in a classic script
 * starts from the script's own address; everything that is needed is asked for at once.
 */
function loader(metafile) {
  const urls = main(metafile).map((path) => `./${relative(out, join(here, path)).replaceAll('\\', '/')}`);
  writeFileSync(join(out, 'chatkit.js'), `${urls.map((url) => `import(${JSON.stringify(url)});`).join('')}\n`);
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

function sizes(metafile) {
  const of = (path) => gzipSync(readFileSync(join(here, path)), { level: 9 }).length;
  const first = main(metafile);
  const parts = Object.entries(metafile.outputs)
    .filter(([path]) => !first.includes(path))
    .map(([path, { entryPoint }]) => [entryPoint?.replace(/^src\//, '') ?? 'shared', of(path)]);
  return { main: first.reduce((sum, path) => sum + of(path), 0), parts: Object.fromEntries(parts.sort()) };
}

async function build() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const results = await Promise.all(bundles().map((each) => esbuild.build(each)));
  loader(results[0].metafile);
  for (const name of ['playground.html', 'playground.css']) cpSync(join(here, 'src/playground', name), join(out, name));
  writeFileSync(join(out, 'licenses.txt'), licenses(results));
  writeFileSync(join(out, 'sizes.json'), `${JSON.stringify(sizes(results[0].metafile), null, 2)}\n`);
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
  });
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  execFileSync(process.execPath, ['--test', ...files.map((name) => join(folder, name))], { stdio: 'inherit' });
}

if (process.argv.includes('--test')) await test();
else if (process.argv.includes('--watch')) {
  await build();
  watch(join(here, 'src'), { recursive: true }, () => void build().catch(console.error));
} else await build();
