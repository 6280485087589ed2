//! The program's allocator: the first memory comes from one region, in which making room is an addition.
//!
//! A launch makes some thousands of small allocations and is over in milliseconds. What does not fit any more, and so
//! everything that a long run asks for, comes from the C library. Beside musl's allocator this saves a third of a millisecond
//! of each launch (measured), beside glibc's nothing.
//!
//! Blocks are powers of two, so that one that is given back fits the next of its size: every page that is not touched saves a
//! page fault.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of the region. Pages that are never touched cost nothing.
const ROOM: usize = 1 << 20;

/// The smallest block: there is room for a pointer in it.
const SMALLEST: usize = 16;

/// The largest block; larger ones are the system's.
const LARGEST: usize = 64 << 10;

/// How many sizes of blocks there are.
const SIZES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;

#[repr(C, align(4096))]
struct Region(UnsafeCell<[u8; ROOM]>);

// SAFETY: every block is in one hand at a time; `Blocks` sees to that.
unsafe impl Sync for Region {}

static REGION: Region = Region(UnsafeCell::new([0; ROOM]));

/// What of the region is free.
struct Blocks {
    /// Where the part begins that was never handed out.
    fresh: usize,
    /// For each size the block that was given back last; it holds the address of the one before.
    free: [Option<NonNull<u8>>; SIZES],
}

/// The blocks, for one thread at a time.
struct Locked {
    taken: AtomicBool,
    blocks: UnsafeCell<Blocks>,
}

// SAFETY: the content is reached by `with` alone, in which one thread is at a time.
unsafe impl Sync for Locked {}

static BLOCKS: Locked =
    Locked { taken: AtomicBool::new(false), blocks: UnsafeCell::new(Blocks { fresh: 0, free: [None; SIZES] }) };

impl Locked {
    /// The program has one thread, so that nobody waits here; tests have several.
    fn with<T>(&self, work: impl FnOnce(&mut Blocks) -> T) -> T {
        while self.taken.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::hint::spin_loop();
        }
        // SAFETY: `taken` was false and is true now by this thread's doing; `work` is a handful of instructions of this
        // module, which neither allocate nor unwind.
        let answer = work(unsafe { &mut *self.blocks.get() });
        self.taken.store(false, Ordering::Release);
        answer
    }
}

impl Blocks {
    fn take(&mut self, size: usize) -> *mut u8 {
        let Some(list) = self.free.get_mut(size) else { return null_mut() };
        if let Some(block) = *list {
            // SAFETY: a block that was given back holds what `give_back` wrote: the one before.
            *list = unsafe { block.cast().read() };
            return block.as_ptr();
        }
        let bytes = SMALLEST << size;
        // A block is aligned to its size, as far as pages go.
        let from = self.fresh.next_multiple_of(bytes.min(4096));
        if from + bytes > ROOM {
            return null_mut();
        }
        self.fresh = from + bytes;
        // SAFETY: `from` is within the region.
        unsafe { REGION.0.get().cast::<u8>().add(from) }
    }

    fn give_back(&mut self, block: NonNull<u8>, size: usize) {
        let Some(list) = self.free.get_mut(size) else { return };
        // SAFETY: the block is nobody's, aligned to 16 bytes and at least as large as a pointer.
        unsafe { block.cast().write(*list) };
        *list = Some(block);
    }
}

/// See the module.
pub(crate) struct Quick;

/// Which size of block this takes; `None` for one of the system's.
fn size(layout: Layout) -> Option<usize> {
    let bytes = layout.size().max(layout.align()).max(SMALLEST);
    (bytes <= LARGEST && layout.align() <= 4096).then(|| (bytes.next_power_of_two() / SMALLEST).ilog2() as usize)
}

/// The addresses of the region, which no child needs that starts something of its own.
pub(crate) fn region() -> std::ops::Range<usize> {
    let start = REGION.0.get().addr();
    start..start + ROOM
}

fn is_of_the_region(address: *mut u8) -> bool {
    address.addr().wrapping_sub(REGION.0.get().addr()) < ROOM
}

// SAFETY: blocks of the region are apart, aligned, within it and as large as asked for; all others are the system's, and told
// by their address.
unsafe impl GlobalAlloc for Quick {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = size(layout).map_or(null_mut(), |size| BLOCKS.with(|blocks| blocks.take(size)));
        // SAFETY: the caller's promises are the same.
        if block.is_null() { unsafe { System.alloc(layout) } } else { block }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        match (NonNull::new(address), size(layout)) {
            (Some(block), Some(size)) if is_of_the_region(address) => {
                BLOCKS.with(|blocks| blocks.give_back(block, size))
            }
            // SAFETY: not of the region, so the system's; the layout is the one that it was made with.
            _ => unsafe { System.dealloc(address, layout) },
        }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if !is_of_the_region(address) {
            // SAFETY: as above.
            return unsafe { System.realloc(address, layout, bytes) };
        }
        // SAFETY: `bytes` is not zero, and with the alignment of `layout` it makes a layout (the caller's promises).
        let wanted = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        if size(wanted) == size(layout) {
            return address;
        }
        // SAFETY: the new block is apart from the old one; both have room for the smaller of the two sizes, and the old one is
        // given back with the layout that it was made with.
        unsafe {
            let new = self.alloc(wanted);
            if !new.is_null() {
                new.copy_from_nonoverlapping(address, layout.size().min(bytes));
                self.dealloc(address, layout);
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
            assert!(!address.is_null() && !is_of_the_region(address));
            Quick.dealloc(address, large);
        }
    }
}
