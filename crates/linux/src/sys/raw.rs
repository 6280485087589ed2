//! A system call without the C library, whose `errno` a process that shares its caller's memory must leave alone.

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
    match answer {
        // The last page of addresses stands for errors (syscall(2), "Architecture calling conventions").
        -4095..0 => Err(Errno::from_raw_os_error(answer.unsigned_abs() as i32)),
        answer => Ok(answer.unsigned_abs()),
    }
}
