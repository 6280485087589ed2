//! C with gcc and make.

use super::support::{World, need};

#[test]
fn make_compiles_in_parallel_and_rebuilds_only_what_changed() {
    need!("gcc", "make");
    let world = World::new();
    world.write("one.c", "int one(void) { return 1; }\n");
    world.write("two.c", "int two(void) { return 2; }\n");
    world.write(
        "main.c",
        "#include <stdio.h>\n#include <pthread.h>\nint one(void); int two(void);\nstatic void *f(void *x) { return x; }\n\
         int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); printf(\"%d\\n\", one() + two()); return 0; }\n",
    );
    world.write(
        "Makefile",
        "demo: main.o one.o two.o\n\tgcc -pthread -o $@ $^\n%.o: %.c\n\tgcc -g -O1 -pipe -c -o $@ $<\nclean:\n\trm -f *.o demo\n",
    );
    world
        .inside("make -j4; ./demo | grep -qx 3; make -q; touch one.c; make | grep -c 'gcc.*one.c'; ar rcs x.a *.o")
        .ok();
    // What was built inside runs outside, and make there agrees that all is up to date.
    world.outside("make -q; ./demo | grep -qx 3").ok();
    world.inside("make clean; test ! -e demo").ok();
}
