//! The program's allocator: the first memory comes from one region, in which making room is an addition.
//!
//! A launch makes some thousands of small allocations and is over in milliseconds. What does not fit any more, and so
//! everything that a long run asks for, comes from the C library. Beside musl's allocator this saves a third of a millisecond
//! of each launch (measured), beside glibc's nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of the region. Pages that are never touched cost nothing.
const ROOM: usize = 1 << 20;

#[repr(C, align(4096))]
struct Region(UnsafeCell<[u8; ROOM]>);

// SAFETY: every byte is handed out once, by an atomic addition.
unsafe impl Sync for Region {}

static REGION: Region = Region(UnsafeCell::new([0; ROOM]));

/// How much of the region is handed out.
static USED: AtomicUsize = AtomicUsize::new(0);

/// See the module.
pub(crate) struct Quick;

impl Quick {
    /// Where in the region an allocation lies, if it does.
    fn place(address: *mut u8) -> Option<usize> {
        address.addr().checked_sub(REGION.0.get().addr()).filter(|place| *place < ROOM)
    }

    /// Takes the room from `from` to `to`, if `from` is still where the free room begins.
    fn take(from: usize, to: usize) -> bool {
        to <= ROOM && USED.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

// SAFETY: blocks of the region are apart, aligned and within it; all others are the system's, and told by their address.
unsafe impl GlobalAlloc for Quick {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            let used = USED.load(Ordering::Relaxed);
            let from = used.next_multiple_of(layout.align());
            let Some(to) = from.checked_add(layout.size()).filter(|to| *to <= ROOM && layout.align() <= 4096) else {
                // SAFETY: the caller's promises are the same.
                return unsafe { System.alloc(layout) };
            };
            if Quick::take(used, to) {
                // SAFETY: `from` is within the region.
                return unsafe { REGION.0.get().cast::<u8>().add(from) };
            }
        }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        match Quick::place(address) {
            // The latest block is given back; others stay, for the process is short.
            Some(place) => {
                let end = place + layout.size();
                let _ = USED.compare_exchange(end, place, Ordering::Relaxed, Ordering::Relaxed);
            }
            // SAFETY: not of the region, so the system's; the layout is the one that it was made with.
            None => unsafe { System.dealloc(address, layout) },
        }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = Quick::place(address) else {
            // SAFETY: as above.
            return unsafe { System.realloc(address, layout, size) };
        };
        if let Some(end) = place.checked_add(size)
            && Quick::take(place + layout.size(), end)
        {
            return address;
        }
        if size <= layout.size() {
            return address;
        }
        // SAFETY: `size` is not zero (the caller's promise) and has room for the alignment (as `layout` had); the new block
        // is apart from the old one, which has `layout.size()` bytes.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(address, layout.size());
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random growing, shrinking and freeing keeps every block's content, apart and aligned.
    #[test]
    fn blocks_keep_their_content() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        for round in 0..20_000 {
            let choice = random(3);
            if choice == 0 || blocks.is_empty() {
                let layout = Layout::from_size_align(1 + random(300), 1 << random(7)).unwrap();
                // SAFETY: the size is not zero.
                let address = unsafe { Quick.alloc(layout) };
                assert!(!address.is_null() && address.addr() % layout.align() == 0);
                let fill = (round % 251) as u8;
                // SAFETY: a fresh block of that size.
                unsafe { address.write_bytes(fill, layout.size()) };
                blocks.push((address, layout, fill));
                continue;
            }
            let index = random(blocks.len());
            let (address, layout, fill) = blocks.swap_remove(index);
            // SAFETY: a live block of that size, all of it written.
            let content = unsafe { std::slice::from_raw_parts(address, layout.size()) };
            assert!(content.iter().all(|byte| *byte == fill), "block of {} bytes", layout.size());
            if choice == 1 {
                // SAFETY: a live block with its layout.
                unsafe { Quick.dealloc(address, layout) };
            } else {
                let size = 1 + random(600);
                // SAFETY: as above, and the size is not zero; then the block has that size, and is written as a whole.
                unsafe {
                    let address = Quick.realloc(address, layout, size);
                    let kept = std::slice::from_raw_parts(address, size.min(layout.size()));
                    assert!(kept.iter().all(|byte| *byte == fill));
                    address.write_bytes(fill, size);
                    blocks.push((address, Layout::from_size_align(size, layout.align()).unwrap(), fill));
                }
            }
        }
    }

    #[test]
    fn what_the_region_cannot_give_the_system_gives() {
        let large = Layout::from_size_align(ROOM + 1, 8).unwrap();
        // SAFETY: the size is not zero, and the block is freed with its layout.
        unsafe {
            let address = Quick.alloc(large);
            assert!(!address.is_null() && Quick::place(address).is_none());
            Quick.dealloc(address, large);
        }
    }
}
