//! Comparing memory eight bytes at a time, in place of musl's byte by byte.
//!
//! On each launch some ten thousand paths are compared, most of them with a long start in common (measured: a tenth of the
//! launch's own instructions). Only programs that are linked with musl get this; glibc's is quick.

use std::ffi::c_int;

/// As memcmp(3).
///
/// # Safety
///
/// Both must be readable for `count` bytes.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub(crate) unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> c_int {
    // SAFETY: the caller's promise.
    let at = unsafe { first_difference(a, b, count) };
    if at == count {
        return 0;
    }
    // SAFETY: `at` is less than `count`.
    unsafe { c_int::from(*a.add(at)) - c_int::from(*b.add(at)) }
}

/// As bcmp(3), which the compiler calls where only equality is asked for.
///
/// # Safety
///
/// As for [`memcmp`].
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
pub(crate) unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(unsafe { first_difference(a, b, count) } != count)
}

/// Where the two begin to differ; `count` where they do not.
///
/// # Safety
///
/// As for [`memcmp`].
#[inline(always)]
unsafe fn first_difference(a: *const u8, b: *const u8, count: usize) -> usize {
    const WORD: usize = size_of::<u64>();
    let mut at = 0;
    while at + WORD <= count {
        // SAFETY: both words lie within `count` bytes; no alignment is asked for.
        let (x, y) = unsafe { (a.add(at).cast::<u64>().read_unaligned(), b.add(at).cast::<u64>().read_unaligned()) };
        let differing = (x ^ y).to_le();
        if differing != 0 {
            return at + differing.trailing_zeros() as usize / 8;
        }
        at += WORD;
    }
    // SAFETY: `at` is less than `count`.
    while at < count && unsafe { *a.add(at) == *b.add(at) } {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_is_that_of_the_first_byte_that_differs() {
        let long = [7_u8; 40];
        for count in 0..long.len() {
            let same = long;
            // SAFETY: both arrays are longer than `count`.
            let equal = unsafe {
                (super::memcmp(long.as_ptr(), same.as_ptr(), count), super::bcmp(long.as_ptr(), same.as_ptr(), count))
            };
            assert_eq!(equal, (0, 0));
            for at in 0..count {
                for (byte, sign) in [(0_u8, 1), (6, 1), (8, -1), (255, -1)] {
                    let mut other = long;
                    other[at] = byte;
                    // A later difference must not count.
                    other[count - 1] = if at == count - 1 { byte } else { 99 };
                    // SAFETY: as above.
                    let answer = unsafe { super::memcmp(long.as_ptr(), other.as_ptr(), count) };
                    // SAFETY: as above.
                    let differs = unsafe { super::bcmp(long.as_ptr(), other.as_ptr(), count) };
                    assert_eq!((answer.signum(), differs), (sign, 1), "{count} bytes, at {at}: {byte}");
                }
            }
        }
    }
}
