//! Copying memory without a loop where it is short, in place of musl's `rep movsq`, which takes some forty cycles to begin.
//!
//! A launch copies some ten thousand times, nearly always less than a hundred bytes (measured: a sixth of the launch's own time).

use std::arch::asm;
use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};

/// As memcpy(3).
///
/// # Safety
///
/// `from` must be readable and `to` writable for `count` bytes. They are apart, or `to` does not begin within what is yet to be read, or
/// `count` is at most 128: all of that is read before any of it is written.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub(crate) unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: each case copies from the first and from the last bytes, which overlap where `count` lies between: all of them lie
    // within `count` bytes, which the caller promises to be there.
    unsafe {
        match count {
            0 => {}
            1 => to.write(from.read()),
            2..=3 => ends::<u16>(to, from, count),
            4..=7 => ends::<u32>(to, from, count),
            8..=16 => ends::<u64>(to, from, count),
            17..=32 => ends_of_sixteen::<1>(to, from, count),
            33..=64 => ends_of_sixteen::<2>(to, from, count),
            65..=128 => ends_of_sixteen::<4>(to, from, count),
            _ => in_a_loop(to, from, count),
        }
    }
    to
}

/// As memmove(3). Without it the linker would take musl's, and its `memcpy` with it.
///
/// # Safety
///
/// `from` must be readable and `to` writable for `count` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub(crate) unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: what is copied without a loop is read as a whole before any of it is written; a loop upwards is right unless `to`
    // begins within what is yet to be read.
    unsafe {
        if count <= 128 || to.addr().wrapping_sub(from.addr()) >= count {
            memcpy(to, from, count)
        } else {
            in_a_loop_downwards(to, from, count);
            to
        }
    }
}

/// Copies the first and the last `T` of `count` bytes.
#[inline(always)]
unsafe fn ends<T: Copy>(to: *mut u8, from: *const u8, count: usize) {
    let last = count - size_of::<T>();
    // SAFETY: the caller's: `count` is between one and two times the size of `T`.
    unsafe {
        let (head, tail) = (from.cast::<T>().read_unaligned(), from.add(last).cast::<T>().read_unaligned());
        to.cast::<T>().write_unaligned(head);
        to.add(last).cast::<T>().write_unaligned(tail);
    }
}

/// Copies the first and the last `N` times sixteen of `count` bytes.
#[inline(always)]
unsafe fn ends_of_sixteen<const N: usize>(to: *mut u8, from: *const u8, count: usize) {
    let last = count - N * size_of::<__m128i>();
    // SAFETY: the caller's: `count` is between one and two times `N` times sixteen; no alignment is asked for.
    unsafe {
        let load = |at: usize| {
            std::array::from_fn::<__m128i, N, _>(|n| _mm_loadu_si128(from.add(at).cast::<__m128i>().add(n)))
        };
        let (head, tail) = (load(0), load(last));
        for n in 0..N {
            _mm_storeu_si128(to.cast::<__m128i>().add(n), head[n]);
            _mm_storeu_si128(to.add(last).cast::<__m128i>().add(n), tail[n]);
        }
    }
}

/// By the instruction for it: a loop written here would be taken for a copy by the compiler, and become a call of [`memcpy`].
#[inline(always)]
unsafe fn in_a_loop(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: the caller's; the direction flag is clear, as the ABI demands.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") count => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
}

/// As [`in_a_loop`], from the last byte to the first.
#[inline(always)]
unsafe fn in_a_loop_downwards(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: the caller's; `count` is not zero, and the direction flag is clear again afterwards.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") count => _,
            inout("rdi") to.add(count - 1) => _,
            inout("rsi") from.add(count - 1) => _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_byte_arrives_and_no_other_is_touched() {
        let source: Vec<u8> = (0..400_u32).map(|n| (n * 7 % 251) as u8).collect();
        for count in 0..300 {
            for (from, to) in [(0, 0), (1, 3), (5, 16), (16, 1)] {
                let mut target = [255_u8; 400];
                // SAFETY: both are longer than what is copied from or to there, and apart.
                let answer = unsafe { super::memcpy(target.as_mut_ptr().add(to), source.as_ptr().add(from), count) };
                assert_eq!(answer.addr(), target.as_ptr().addr() + to);
                assert_eq!(target[to..to + count], source[from..from + count], "{count} bytes");
                assert!(target[..to].iter().chain(&target[to + count..]).all(|byte| *byte == 255), "{count} bytes");
            }
        }
    }

    #[test]
    fn what_overlaps_is_moved_as_it_was() {
        for count in 0..300 {
            for (from, to) in [(0, 1), (1, 0), (0, 40), (40, 0), (7, 7), (0, 290)] {
                let before: Vec<u8> = (0..600_u32).map(|n| (n * 7 % 251) as u8).collect();
                let (mut moved, mut expected) = (before.clone(), before);
                expected.copy_within(from..from + count, to);
                // SAFETY: all lies within the array.
                unsafe { super::memmove(moved.as_mut_ptr().add(to), moved.as_ptr().add(from), count) };
                assert_eq!(moved, expected, "{count} bytes from {from} to {to}");
            }
        }
    }
}
