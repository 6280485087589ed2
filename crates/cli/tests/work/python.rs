//! Python: virtual environments, every way of multiprocessing, asyncio.

use super::support::{World, need};

#[test]
fn a_virtual_environment_is_made_and_used() {
    need!("python3");
    let world = World::new();
    world
        .inside(
            "python3 -m venv .venv; .venv/bin/python -c 'import sys; assert sys.prefix != sys.base_prefix'
             .venv/bin/pip --version; .venv/bin/pip list --disable-pip-version-check",
        )
        .ok();
    world.outside(".venv/bin/python -c 'import sys; assert sys.prefix != sys.base_prefix'").ok();
}

#[test]
fn multiprocessing_in_every_way() {
    need!("python3");
    let world = World::new();
    world.write(
        "mp.py",
        r#"
import multiprocessing as mp
from multiprocessing import shared_memory, managers

def square(x): return x * x

def count(lock, value):
    for _ in range(200):
        with lock: value.value += 1

def main():
    for how in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(how)
        with ctx.Pool(2) as pool:
            assert pool.map(square, range(20)) == [x * x for x in range(20)]
        lock, value = ctx.Lock(), ctx.Value("i", 0, lock=False)
        workers = [ctx.Process(target=count, args=(lock, value)) for _ in range(3)]
        [w.start() for w in workers]; [w.join() for w in workers]
        assert value.value == 600, value.value
        queue = ctx.Queue(); queue.put("x" * 100000); assert len(queue.get()) == 100000
        semaphore = ctx.BoundedSemaphore(2); semaphore.acquire(); semaphore.release()
        with ctx.Manager() as manager: assert manager.dict(a=1)["a"] == 1
    block = shared_memory.SharedMemory(create=True, size=4096); block.buf[0] = 7; block.close(); block.unlink()
    print("all ways")

if __name__ == "__main__": main()
"#,
    );
    world.inside("python3 mp.py").ok().says("all ways");
}

#[test]
fn asyncio_with_subprocesses_and_sockets() {
    need!("python3");
    let world = World::new();
    world.write(
        "aio.py",
        r#"
import asyncio, os, socket, tempfile

async def echo(reader, writer):
    writer.write(await reader.readline()); await writer.drain(); writer.close()

async def talk(opened):
    reader, writer = await opened
    writer.write(b"hello\n"); assert await reader.readline() == b"hello\n"; writer.close()

async def main():
    child = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    out, _ = await child.communicate(b"x" * 300000); assert len(out) == 300000 and child.returncode == 0
    for path in ("here.sock", tempfile.mktemp()):
        async with await asyncio.start_unix_server(echo, path):
            await talk(asyncio.open_unix_connection(path))
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    await talk(asyncio.open_connection(*server.sockets[0].getsockname())); server.close()
    loop = asyncio.get_running_loop(); woken = asyncio.Event()
    await loop.run_in_executor(None, lambda: loop.call_soon_threadsafe(woken.set)); await woken.wait()
    a, b = socket.socketpair(); a.sendmsg([b"x"]); assert b.recv(1) == b"x"
    abstract = socket.socket(socket.AF_UNIX); abstract.bind("\0own-name"); abstract.listen()
    socket.socket(socket.AF_UNIX).connect("\0own-name")
    os.unlink("here.sock") if os.path.exists("here.sock") else None
    print("all spoke")

asyncio.run(main())
"#,
    );
    world.inside("python3 aio.py").ok().says("all spoke");
}

#[test]
fn temporary_files_and_file_locks() {
    need!("python3");
    let world = World::new();
    world.write(
        "files.py",
        r#"
import fcntl, mmap, os, pty, shutil, tempfile
with tempfile.TemporaryDirectory() as d:
    assert os.stat(d).st_mode & 0o777 == 0o700
    open(os.path.join(d, "a"), "w").write("a"); os.replace(os.path.join(d, "a"), os.path.join(d, "b"))
    shutil.copytree(d, "copied"); shutil.move("copied", "moved"); shutil.rmtree("moved")
with open("locked", "w+b") as f:
    fcntl.flock(f, fcntl.LOCK_EX); f.truncate(4096)
    with mmap.mmap(f.fileno(), 4096) as m: m[0] = 1
os.mkfifo("pipe"); os.unlink("pipe"); os.symlink("locked", "link"); os.link("locked", "hard"); os.utime("locked", (1, 2))
os.chmod("locked", 0o600); os.setxattr("locked", "user.note", b"x") if hasattr(os, "setxattr") else None
master, slave = pty.openpty(); os.write(slave, b"t"); assert os.read(master, 1) == b"t"
print("files work")
"#,
    );
    world.inside("python3 files.py").ok().says("files work");
}
