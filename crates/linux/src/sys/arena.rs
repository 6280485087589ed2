//! Memory that a forked child goes on sharing with its parent, at the same address in both.
//!
//! The parent lays out plain values in it that refer to one another, also after the fork, and the child reads them: nothing
//! has to be copied or decoded. Values are never dropped and never move.

use std::cell::Cell;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A region of shared memory that is filled from its start.
pub struct Arena {
    start: NonNull<u8>,
    size: usize,
    used: Cell<usize>,
}

/// Why something cannot be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArenaError {
    /// There is no room left.
    Full,
    /// A text holds a NUL byte.
    Nul,
}

/// At the start of the region: what the parent hands to the child.
type Handed = AtomicPtr<u8>;

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made; everything that refers to it borrows the arena. A failure leaves it.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.size) };
    }
}

impl Arena {
    /// A region of `size` bytes; pages that are never touched cost nothing.
    ///
    /// # Errors
    ///
    /// What mmap(2) answers.
    pub fn new(size: usize) -> Result<Arena, Errno> {
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                size,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::NORESERVE,
            )
        }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        // Fresh pages are zero, which is a null `Handed`.
        Ok(Arena { start, size, used: Cell::new(size_of::<Handed>()) })
    }

    /// Lays out one value.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn put<T>(&self, value: T) -> Result<&T, ArenaError> {
        const { assert!(!std::mem::needs_drop::<T>(), "values of an arena are never dropped") };
        let place = self.room::<T>(1)?;
        // SAFETY: `room` gave aligned, unused room for one `T`, which nothing else will be given.
        unsafe {
            place.write(value);
            Ok(place.as_ref())
        }
    }

    /// Lays out values one after another.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn slice<T: Copy>(&self, values: &[T]) -> Result<&[T], ArenaError> {
        let place = self.room::<T>(values.len())?;
        // SAFETY: `room` gave aligned, unused room for that many `T`, apart from everything that exists, `values` included.
        unsafe {
            place.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len());
            Ok(std::slice::from_raw_parts(place.as_ptr(), values.len()))
        }
    }

    /// Lays out `text` as a C string.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Nul`] or [`ArenaError::Full`].
    pub fn text(&self, text: &[u8]) -> Result<&CStr, ArenaError> {
        self.joined(&[text])
    }

    /// Lays out `parts`, one after another, as one C string.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Nul`] or [`ArenaError::Full`].
    pub fn joined(&self, parts: &[&[u8]]) -> Result<&CStr, ArenaError> {
        if parts.iter().any(|part| part.contains(&0)) {
            return Err(ArenaError::Nul);
        }
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let place = self.room::<u8>(length.checked_add(1).ok_or(ArenaError::Full)?)?;
        let mut at = 0;
        for part in parts {
            // SAFETY: the parts together are one byte shorter than the room, which is unused and apart from them.
            unsafe { place.add(at).copy_from_nonoverlapping(NonNull::from(*part).cast(), part.len()) };
            at += part.len();
        }
        // SAFETY: the room is `length + 1` bytes, all written but the last, which is written here; no part holds a NUL.
        unsafe {
            place.add(at).write(0);
            Ok(CStr::from_bytes_with_nul_unchecked(std::slice::from_raw_parts(place.as_ptr(), at + 1)))
        }
    }

    /// Lays out a place for a value that is laid out later.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn slot<'a, T>(&'a self) -> Result<&'a Slot<'a, T>, ArenaError> {
        self.put(Slot { value: AtomicPtr::new(std::ptr::null_mut()), _arena: PhantomData })
    }

    /// Lays out the value for which a place was kept here, and hands it to the other process.
    ///
    /// # Errors
    ///
    /// [`ArenaError::Full`].
    pub fn fill<'a, T>(&'a self, slot: &Slot<'a, T>, value: T) -> Result<(), ArenaError> {
        let value = std::ptr::from_ref(self.put(value)?).cast_mut();
        slot.value.store(value, Ordering::Release);
        Ok(())
    }

    /// Hands `value`, which was laid out here, to the other process.
    pub fn hand_over<T>(&self, value: &T) {
        self.handed().store(std::ptr::from_ref(value).cast_mut().cast(), Ordering::Release);
    }

    /// The other process's end. It lies nowhere but in itself, so a process that has nothing but the region can read it.
    pub fn inbox(&self) -> Inbox<'_> {
        Inbox { handed: self.start.cast(), _arena: PhantomData }
    }

    fn handed(&self) -> &Handed {
        // SAFETY: `new` reserved the aligned start of the region for it, and null is a valid value.
        unsafe { self.start.cast().as_ref() }
    }

    fn room<T>(&self, count: usize) -> Result<NonNull<T>, ArenaError> {
        let from = self.used.get().checked_next_multiple_of(align_of::<T>()).ok_or(ArenaError::Full)?;
        let bytes = size_of::<T>().checked_mul(count).ok_or(ArenaError::Full)?;
        let to = from.checked_add(bytes).filter(|to| *to <= self.size).ok_or(ArenaError::Full)?;
        self.used.set(to);
        // SAFETY: `from` is within the region.
        Ok(unsafe { self.start.add(from) }.cast())
    }
}

/// A place in an [`Arena`] for a value that is laid out later in the same one.
pub struct Slot<'a, T> {
    value: AtomicPtr<T>,
    _arena: PhantomData<&'a T>,
}

impl<'a, T> Slot<'a, T> {
    /// The value, if there is one yet.
    pub fn get(&self) -> Option<&'a T> {
        // SAFETY: null, or what `Arena::fill` stored: a value that lives as long as `'a`, and in the region, which is at the same place in
        // both processes.
        unsafe { self.value.load(Ordering::Acquire).as_ref() }
    }
}

/// What a process reads that shares an [`Arena`].
#[derive(Clone, Copy)]
pub struct Inbox<'a> {
    handed: NonNull<Handed>,
    _arena: PhantomData<&'a Arena>,
}

impl<'a> Inbox<'a> {
    /// What was handed over, if anything was.
    ///
    /// # Safety
    ///
    /// It must have been a `T`.
    pub unsafe fn handed_over<T>(&self) -> Option<&'a T> {
        // SAFETY: `Arena::new` reserved the aligned start of the region for it, and the region lives as long as `'a`.
        let value: *const T = unsafe { self.handed.as_ref() }.load(Ordering::Acquire).cast();
        // SAFETY: null, or the address of a `T` (the caller's promise) in this region, which is at the same place in both
        // processes and stays there as long as `'a`.
        unsafe { value.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_laid_out_apart_and_aligned() {
        let arena = Arena::new(4096).unwrap();
        let text = arena.joined(&[b"a", b"", b"bc"]).unwrap();
        let number = arena.put(7u64).unwrap();
        let numbers = arena.slice(&[1u32, 2, 3]).unwrap();
        let empty: &[u64] = arena.slice(&[]).unwrap();
        assert_eq!((text, *number, numbers, empty.len()), (c"abc", 7, [1, 2, 3].as_slice(), 0));
        assert_eq!(std::ptr::from_ref(number).addr() % align_of::<u64>(), 0);
    }

    #[test]
    fn what_does_not_fit_or_is_no_text_is_refused() {
        let arena = Arena::new(4096).unwrap();
        assert_eq!(arena.text(b"a\0b"), Err(ArenaError::Nul));
        assert_eq!(arena.slice(&[0u8; 5000]), Err(ArenaError::Full));
        assert!(arena.text(&[b'x'; 4000]).is_ok());
        assert_eq!(arena.text(&[b'x'; 100]), Err(ArenaError::Full));
        assert!(arena.put(1u8).is_ok());
    }

    #[test]
    fn a_child_reads_what_was_laid_out_after_the_fork() {
        let arena = Arena::new(4096).unwrap();
        let slot = arena.slot::<u64>().unwrap();
        assert_eq!(slot.get(), None);
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        // SAFETY: the child makes system calls and reads the arena.
        match unsafe { crate::sys::clone::fork_into(0, crate::sys::clone::Parent::Caller) }.unwrap() {
            crate::sys::clone::Side::Child => {
                let mut byte = [0];
                let _ = rustix::io::read(&theirs, &mut byte);
                // SAFETY: a `&CStr` is what the parent hands over.
                let handed = unsafe { arena.inbox().handed_over::<&CStr>() };
                let both = handed == Some(&c"laid out late") && slot.get() == Some(&7);
                crate::sys::process::exit_now(i32::from(!both));
            }
            crate::sys::clone::Side::Parent { child, .. } => {
                let text = arena.text(b"laid out late").unwrap();
                arena.hand_over(arena.put(text).unwrap());
                arena.fill(slot, 7).unwrap();
                rustix::io::write(&ours, b"x").unwrap();
                let (_, status) =
                    rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).unwrap().unwrap();
                assert_eq!(status.exit_status(), Some(0));
            }
        }
    }
}
