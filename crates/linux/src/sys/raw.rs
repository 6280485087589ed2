//! A system call without the C library, whose `errno` a process that shares its caller's memory must leave alone.

use std::ffi::{c_int, c_void};

use rustix::io::Errno;

/// Makes system call `number` with two arguments.
///
/// # Safety
///
/// As the call demands; see its manual page.
///
/// # Errors
///
/// What the call answers.
pub(super) unsafe fn syscall2(number: libc::c_long, first: usize, second: usize) -> Result<usize, Errno> {
    let answer: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the calling convention of syscall(2) for x86-64; the kernel leaves every register but these as it was.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number as isize => answer,
            in("rdi") first,
            in("rsi") second,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the calling convention of syscall(2) for arm64; the kernel leaves every register but these as it was.
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first as isize => answer,
            in("x1") second,
            options(nostack),
        );
    }
    result(answer)
}

/// Makes a process that runs `child(argument)` on the stack that ends at `stack`, and exits with its answer. The C library's
/// `clone` reads the caller's stack in the child, which need not have it.
///
/// # Safety
///
/// As clone(2) demands. `stack` must be aligned to 16 bytes and be the upper end of memory that nobody else uses; `child` may
/// rely on nothing of the caller's but what `flags` let it share or copy, and must not unwind.
///
/// # Errors
///
/// What the call answers.
pub(super) unsafe fn clone(
    flags: c_int,
    stack: *mut c_void,
    child: extern "C" fn(*mut c_void) -> c_int,
    argument: *mut c_void,
) -> Result<usize, Errno> {
    let answer: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `syscall2`. In the child, which the kernel starts behind the call with the same registers but a zero
    // answer and the new stack, the way never leads out of this block.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "mov edi, eax",
            "mov eax, {exit_group}",
            "syscall",
            "ud2",
            "2:",
            exit_group = const libc::SYS_exit_group,
            inlateout("rax") libc::SYS_clone as isize => answer,
            in("rdi") flags as isize,
            in("rsi") stack,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            in("r12") argument,
            in("r13") child,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "mov x8, {exit_group}",
            "svc 0",
            "brk 1",
            "2:",
            exit_group = const libc::SYS_exit_group,
            in("x8") libc::SYS_clone,
            inlateout("x0") flags as isize => answer,
            in("x1") stack,
            in("x2") 0,
            in("x3") 0,
            in("x4") 0,
            in("x20") argument,
            in("x21") child,
        );
    }
    result(answer)
}

fn result(answer: isize) -> Result<usize, Errno> {
    match answer {
        // The last page of addresses stands for errors (syscall(2), "Architecture calling conventions").
        -4095..0 => Err(Errno::from_raw_os_error(answer.unsigned_abs() as i32)),
        answer => Ok(answer.unsigned_abs()),
    }
}
