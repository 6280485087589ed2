//! The part of the kernel's packet-filter machine that filters use.

use libc::sock_filter;

/// `struct seccomp_data`, without the instruction pointer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    pub(super) nr: u32,
    pub(super) arch: u32,
    pub(super) args: [u64; 6],
}

impl Data {
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.nr,
            4 => self.arch,
            16.. => {
                let arg = self.args[(offset as usize - 16) / 8];
                if offset.is_multiple_of(8) { arg as u32 } else { (arg >> 32) as u32 }
            }
            _ => panic!("the filter loads from {offset}"),
        }
    }
}

/// What the program answers.
pub(super) fn run(program: &[sock_filter], data: &Data) -> u32 {
    let (mut at, mut accumulator) = (0, 0u32);
    loop {
        let step = program[at];
        at += 1;
        let jump = match step.code {
            0x20 => {
                accumulator = data.word(step.k);
                continue;
            }
            0x06 => return step.k,
            0x15 => accumulator == step.k,
            0x25 => accumulator > step.k,
            0x35 => accumulator >= step.k,
            0x45 => accumulator & step.k != 0,
            code => panic!("the filter has an instruction {code:#x}"),
        };
        at += usize::from(if jump { step.jt } else { step.jf });
    }
}
