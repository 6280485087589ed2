//! Node: child processes, workers, sockets, watching files.

use super::support::{World, need};

#[test]
fn children_workers_sockets_and_watching() {
    need!("node");
    let world = World::new();
    world.write(
        "work.js",
        r#"
if (process.argv[2] === 'child') { process.send('from child', () => process.exit(0)); return; }
const assert = require('assert'), cp = require('child_process'), fs = require('fs'), net = require('net');
const os = require('os'), path = require('path'), { Worker } = require('worker_threads');
const worker = () => new Promise((done, failed) => {
  const w = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
  w.on('message', m => { assert.equal(m, 42); done(); }); w.on('error', failed);
});
const echo = where => new Promise(done => {
  const server = net.createServer(c => c.pipe(c)).listen(where, () => {
    const address = server.address();
    const c = net.connect(typeof address === 'string' ? address : address.port, () => c.end('hello'));
    let got = ''; c.on('data', d => got += d); c.on('close', () => { assert.equal(got, 'hello'); server.close(done); });
  });
});
const watch = () => new Promise(done => {
  const w = fs.watch('.', (event, name) => { if (name === 'watched.txt') { w.close(); done(); } });
  fs.writeFileSync('watched.txt', 'x');
});
(async () => {
  assert.equal(cp.execSync('echo piped').toString(), 'piped\n');
  assert.equal(cp.spawnSync('sh', ['-c', 'exit 3'], { stdio: 'inherit' }).status, 3);
  await new Promise(done => cp.fork(__filename, ['child']).on('message', m => { assert.equal(m, 'from child'); done(); }));
  await worker(); await echo('./node.sock'); await echo(path.join(os.tmpdir(), 'n.sock')); await echo(0); await watch();
  assert.equal(fs.realpathSync('work.js'), path.join(process.cwd(), 'work.js'));
  assert(os.cpus().length > 0 && os.userInfo().username.length > 0 && os.hostname().length > 0);
  assert(crypto.randomUUID().length === 36);
  console.log('node works');
})();
"#,
    );
    world.inside("node work.js").ok().says("node works");
}

#[test]
fn a_package_script_runs() {
    need!("npm");
    let world = World::new();
    world.write("package.json", r#"{"name":"demo","version":"1.0.0","scripts":{"test":"node -e 'console.log(6*7)'"}}"#);
    world.inside("npm test --silent --offline").ok().says("42");
}
