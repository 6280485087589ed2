//! Memory that a forked child does not get (madvise(2), `MADV_DONTFORK`).
//!
//! A fork makes every page that was written a shared one, to be copied by whoever writes next. A child that needs nothing of a
//! stack or a heap is better off without it, its parent too, and it cannot give away what it does not have.

use std::ops::Range;

use rustix::io::Errno;
use rustix::mm::{Advice, madvise};

/// Bytes of the stack, counted from its top, that are withheld: what a launch uses is less, and the kernel keeps more than that
/// free below (`stack_guard_gap`, 1 MiB).
const STACK: usize = 1 << 20;

/// Ranges that children do not get as long as this lives.
pub struct Withheld {
    ranges: [Range<usize>; 2],
}

impl Withheld {
    /// Withholds the main thread's stack, and the pages that lie whole in `heap`. What cannot be withheld is given as ever.
    ///
    /// # Safety
    ///
    /// Until this is dropped, no process is made that goes on with a copy of this one's memory and touches the stack or `heap`.
    pub unsafe fn new(heap: Range<usize>) -> Withheld {
        let whole = heap.start.next_multiple_of(page_size())..heap.end / page_size() * page_size();
        let withheld = Withheld { ranges: [stack(), whole] };
        withheld.advise(Advice::LinuxDontFork);
        withheld
    }

    fn advise(&self, advice: Advice) {
        for range in self.ranges.iter().filter(|range| !range.is_empty()) {
            let start = std::ptr::with_exposed_provenance_mut(range.start);
            // SAFETY: these two advices change what a child gets and nothing in this process. A range with gaps is answered
            // by ENOMEM, after the parts that exist have been advised.
            let _: Result<(), Errno> = unsafe { madvise(start, range.len(), advice) };
        }
    }
}

impl Drop for Withheld {
    fn drop(&mut self) {
        self.advise(Advice::LinuxDoFork);
    }
}

/// Bytes of a page. The C library knows it already; rustix would ask the kernel.
fn page_size() -> usize {
    // SAFETY: sysconf takes a number and reads what the C library keeps; this value always exists (sysconf(3)).
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The upper end of the main thread's stack. The kernel puts the name of the program at its very top (`AT_EXECFN`,
/// getauxval(3)).
fn stack() -> Range<usize> {
    // SAFETY: getauxval reads a table that the C library keeps; it answers 0 for what is not in it.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let Ok(name @ 1..) = usize::try_from(name) else { return 0..0 };
    let end = (name + 1).next_multiple_of(page_size());
    end.saturating_sub(STACK)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `/proc/self/smaps` says of the mapping that holds `address`: whether a child gets it ("dc", proc_pid_smaps(5)).
    fn is_withheld(address: usize) -> bool {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("smaps can be read");
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split_whitespace().next().and_then(|word| word.split_once('-'));
            let hex = |word: &str| usize::from_str_radix(word, 16).ok();
            if let Some((start, end)) = range.and_then(|(start, end)| Some((hex(start)?, hex(end)?))) {
                inside = (start..end).contains(&address);
            } else if let Some(flags) = line.strip_prefix("VmFlags:")
                && inside
            {
                return flags.split_whitespace().any(|flag| flag == "dc");
            }
        }
        panic!("no mapping holds {address:#x}");
    }

    #[test]
    fn whole_pages_and_the_stack_are_withheld_and_given_again() {
        let heap = vec![1_u8; 64 << 10];
        let within = heap.as_ptr().addr() + (32 << 10);
        let stack = stack();
        assert!(!stack.is_empty(), "the kernel names the program");
        let top = stack.end - 1;
        {
            // SAFETY: nothing is forked here, and other tests of this process fork children that are threads' own: they run on
            // stacks of threads, not on the main one, and touch nothing of `heap`.
            let _withheld = unsafe { Withheld::new(heap.as_ptr().addr()..heap.as_ptr().addr() + heap.len()) };
            assert!(is_withheld(within) && is_withheld(top));
        }
        assert!(!is_withheld(within) && !is_withheld(top));
    }
}
