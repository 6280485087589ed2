//! From the table to instructions, all of it in constant evaluation.
//!
//! Every number gets a target; equal neighbours merge to segments; the segments become a tree of comparisons. The tree is
//! the one with the fewest instructions (dynamic programming over intervals of segments), and among those the one with the
//! fewest steps summed over all numbers, because the kernel runs the filter once for each number when it is loaded.

use libc::sock_filter;

use super::table::{Arch, Call, Check, Rule, TABLE};
use super::{MOST, NEWEST, Openings};
use crate::api::Tier;

/// `BPF_LD | BPF_W | BPF_ABS`: load a word of `seccomp_data`.
const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
const JUMP_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGT | BPF_K`.
const JUMP_ABOVE: u16 = 0x25;
/// `BPF_JMP | BPF_JGE | BPF_K`.
const JUMP_FROM: u16 = 0x35;
/// `BPF_JMP | BPF_JSET | BPF_K`.
const JUMP_ANY_BIT: u16 = 0x45;
/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

/// Offset of the number in `struct seccomp_data`.
const NUMBER: u32 = 0;
/// Offset of the architecture.
const ARCH: u32 = 4;
/// Offset of the low half of an argument (both architectures are little endian).
const fn low(argument: u32) -> u32 {
    16 + 8 * argument
}

/// All flags of `clone` and `unshare` that make a namespace: NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
/// In `clone`, NEWTIME's bit is part of the exit signal, where no signal that exists has it.
pub(super) const NAMESPACE_FLAGS: u32 = 0x7e02_0080;
/// The one personality that debuggers set.
pub(super) const ADDR_NO_RANDOMIZE: u32 = 0x0004_0000;
/// Reads the personality without changing it.
pub(super) const PERSONALITY_QUERY: u32 = 0xffff_ffff;
/// `ioctl` requests that reach the caller's terminal or load kernel modules (`asm-generic/ioctls.h`).
pub(super) const TIOCSTI: u32 = 0x5412;
/// Console selection and paste.
pub(super) const TIOCLINUX: u32 = 0x541c;
/// Sets the line discipline: loads its module, and those have been a source of exploits (CVE-2017-2636).
pub(super) const TIOCSETD: u32 = 0x5423;
/// The highest IP protocol that the filter lets through to `socket`: ICMPv6. Above are SCTP, UDP-Lite, L2TP, raw, SMC and
/// MPTCP, which no agent needs and whose modules are loaded on first use.
pub(super) const HIGHEST_PROTOCOL: u32 = 58;

/// Where a comparison leads: first the answers, then the checks.
const ALLOW: u8 = 0;
const REFUSE: u8 = 1;
const ABSENT: u8 = 2;
const NO_FAMILY: u8 = 3;
const KILL: u8 = 4;
const ANSWERS: u8 = 5;
const CHECK_IOCTL: u8 = 5;
const CHECK_SOCKET: u8 = 6;
const CHECK_FLAGS: u8 = 7;
const CHECK_PERSONALITY: u8 = 8;
const CHECK_NETLINK: u8 = 9;
const CHECK_INTERNET: u8 = 10;
const TARGETS: usize = 11;

/// A finished filter and how much of the array it fills.
#[derive(Clone, Copy)]
pub(super) struct Program {
    pub(super) code: [sock_filter; MOST],
    pub(super) len: usize,
}

/// Compiles one variant. Fails the build if it needs more than [`MOST`] instructions.
pub(super) const fn compile(arch: Arch, openings: Openings) -> Program {
    let mut draft = Draft::new();
    draft.put(LOAD, ARCH, NEXT, NEXT);
    draft.put(JUMP_EQUAL, arch.audit(), NEXT, label(KILL));
    draft.put(LOAD, NUMBER, NEXT, NEXT);
    let segments = Segments::of(arch, openings);
    let plan = segments.plan();
    draft.tree(&segments, &plan, 0, segments.len - 1);
    draft.checks(openings);
    draft.answers(openings.tier);
    draft.finish()
}

/// The filled part of a program.
pub(super) const fn trim<const N: usize>(program: &Program) -> [sock_filter; N] {
    let mut exact = [program.code[0]; N];
    let mut i = 0;
    while i < N {
        exact[i] = program.code[i];
        i += 1;
    }
    exact
}

/// The target of one call under these openings.
const fn target(call: &Call, openings: Openings) -> u8 {
    if call.is_open(openings) {
        return ALLOW;
    }
    match call.rule {
        Rule::Refuse => REFUSE,
        Rule::Absent => ABSENT,
        Rule::Look(Check::Ioctl) => CHECK_IOCTL,
        Rule::Look(Check::Socket) => CHECK_SOCKET,
        Rule::Look(Check::NamespaceFlags) => CHECK_FLAGS,
        Rule::Look(Check::Personality) => CHECK_PERSONALITY,
    }
}

/// More than any variant has; exceeding it fails the build by the bounds check.
const SEGMENTS: usize = 80;

/// Maximal runs of numbers with one target, in order; the last one reaches to the highest number.
struct Segments {
    start: [u32; SEGMENTS],
    target: [u8; SEGMENTS],
    len: usize,
}

impl Segments {
    const fn of(arch: Arch, openings: Openings) -> Segments {
        let mut targets = [ALLOW; NEWEST as usize + 1];
        let mut row = 0;
        while row < TABLE.len() {
            if let Some(number) = TABLE[row].number(arch) {
                targets[number as usize] = target(&TABLE[row], openings);
            }
            row += 1;
        }
        let mut segments = Segments { start: [0; SEGMENTS], target: [targets[0]; SEGMENTS], len: 1 };
        let mut number = 1;
        while number < targets.len() {
            if targets[number] != targets[number - 1] {
                segments.push(number as u32, targets[number]);
            }
            number += 1;
        }
        if segments.target[segments.len - 1] != ABSENT {
            segments.push(NEWEST + 1, ABSENT);
        }
        segments
    }

    const fn push(&mut self, start: u32, target: u8) {
        self.start[self.len] = start;
        self.target[self.len] = target;
        self.len += 1;
    }

    /// How many numbers a segment has, as far as loading visits them.
    const fn width(&self, segment: usize) -> u32 {
        if segment + 1 < self.len { self.start[segment + 1] - self.start[segment] } else { 1 }
    }

    /// Is the second segment of an interval one number in the midst of one target, so that an equality takes it out?
    const fn can_pick(&self, first: usize, last: usize) -> bool {
        first + 2 <= last && self.width(first + 1) == 1 && self.target[first] == self.target[first + 2]
    }

    /// The cheapest first comparison of every interval of segments.
    const fn plan(&self) -> Plan {
        let mut plan = Plan { first_step: [[0; SEGMENTS]; SEGMENTS], cost: [[0; SEGMENTS]; SEGMENTS] };
        let mut span = 1;
        while span < self.len {
            let mut first = 0;
            while first + span < self.len {
                self.plan_interval(&mut plan, first, first + span);
                first += 1;
            }
            span += 1;
        }
        plan
    }

    const fn plan_interval(&self, plan: &mut Plan, first: usize, last: usize) {
        let mut best = u32::MAX;
        let mut step = PICK;
        if self.can_pick(first, last) {
            best = plan.cost[first + 2][last];
        }
        let mut split = first + 1;
        while split <= last {
            let cost = plan.cost[first][split - 1] + plan.cost[split][last];
            if cost < best {
                best = cost;
                step = split as u8;
            }
            split += 1;
        }
        // One instruction more, and one step more for every number of the interval.
        let mut numbers = 0;
        let mut segment = first;
        while segment <= last {
            numbers += self.width(segment);
            segment += 1;
        }
        plan.first_step[first][last] = step;
        plan.cost[first][last] = best + INSTRUCTION + numbers;
    }
}

/// Not a split: take the second segment out by an equality.
const PICK: u8 = 0;
/// The weight of an instruction against that of a step: instructions first.
const INSTRUCTION: u32 = 1 << 16;

struct Plan {
    first_step: [[u8; SEGMENTS]; SEGMENTS],
    cost: [[u32; SEGMENTS]; SEGMENTS],
}

/// Where a jump goes, before the addresses of the targets are known: an address, or a target plus [`LABELS`].
type Goal = u16;
const LABELS: Goal = 0x100;
/// The instruction that follows.
const NEXT: Goal = 0x200;

const fn label(target: u8) -> Goal {
    LABELS + target as Goal
}

#[derive(Clone, Copy)]
struct Step {
    code: u16,
    k: u32,
    yes: Goal,
    no: Goal,
}

struct Draft {
    steps: [Step; MOST],
    len: usize,
    address: [u16; TARGETS],
}

impl Draft {
    const fn new() -> Draft {
        Draft { steps: [Step { code: 0, k: 0, yes: NEXT, no: NEXT }; MOST], len: 0, address: [0; TARGETS] }
    }

    /// Adds an instruction and tells its address.
    const fn put(&mut self, code: u16, k: u32, yes: Goal, no: Goal) -> usize {
        assert!(self.len < MOST, "the system-call filter has more instructions than its budget");
        self.steps[self.len] = Step { code, k, yes, no };
        self.len += 1;
        self.len - 1
    }

    /// Adds the tree of an interval; tells where a jump to it goes.
    const fn tree(&mut self, segments: &Segments, plan: &Plan, first: usize, last: usize) -> Goal {
        if first == last {
            return label(segments.target[first]);
        }
        let step = plan.first_step[first][last];
        if step == PICK {
            let here = self.put(JUMP_EQUAL, segments.start[first + 1], label(segments.target[first + 1]), NEXT);
            self.steps[here].no = self.tree(segments, plan, first + 2, last);
            return here as Goal;
        }
        let split = step as usize;
        let here = self.put(JUMP_FROM, segments.start[split], NEXT, NEXT);
        self.steps[here].no = self.tree(segments, plan, first, split - 1);
        self.steps[here].yes = self.tree(segments, plan, split, last);
        here as Goal
    }

    const fn begin(&mut self, target: u8) {
        self.address[target as usize] = self.len as u16;
    }

    const fn checks(&mut self, openings: Openings) {
        self.begin(CHECK_IOCTL);
        self.put(LOAD, low(1), NEXT, NEXT);
        self.put(JUMP_EQUAL, TIOCSTI, label(REFUSE), NEXT);
        self.put(JUMP_EQUAL, TIOCLINUX, label(REFUSE), NEXT);
        self.put(JUMP_EQUAL, TIOCSETD, label(REFUSE), label(ALLOW));
        if !openings.nested_namespaces {
            self.begin(CHECK_FLAGS);
            self.put(LOAD, low(0), NEXT, NEXT);
            self.put(JUMP_ANY_BIT, NAMESPACE_FLAGS, label(REFUSE), label(ALLOW));
        }
        self.begin(CHECK_PERSONALITY);
        self.put(LOAD, low(0), NEXT, NEXT);
        self.put(JUMP_EQUAL, 0, label(ALLOW), NEXT);
        if openings.trace {
            self.put(JUMP_EQUAL, ADDR_NO_RANDOMIZE, label(ALLOW), NEXT);
        }
        self.put(JUMP_EQUAL, PERSONALITY_QUERY, label(ALLOW), label(REFUSE));
        self.socket(openings.tier);
    }

    const fn socket(&mut self, tier: Tier) {
        self.begin(CHECK_SOCKET);
        self.put(LOAD, low(0), NEXT, NEXT);
        match tier {
            Tier::Landlock => {
                self.put(JUMP_EQUAL, libc::AF_UNIX as u32, label(ALLOW), label(NO_FAMILY));
            }
            Tier::Namespaces => {
                // AF_UNSPEC, AF_UNIX, AF_INET are 0, 1, 2; no kernel has a family 0, and UNIX knows the protocols 0 and 1 only.
                self.put(JUMP_ABOVE, libc::AF_INET as u32, NEXT, label(CHECK_INTERNET));
                self.put(JUMP_EQUAL, libc::AF_INET6 as u32, label(CHECK_INTERNET), NEXT);
                self.put(JUMP_EQUAL, libc::AF_NETLINK as u32, label(CHECK_NETLINK), label(NO_FAMILY));
                self.begin(CHECK_NETLINK);
                self.put(LOAD, low(2), NEXT, NEXT);
                self.put(JUMP_EQUAL, libc::NETLINK_ROUTE as u32, label(ALLOW), label(NO_FAMILY));
                self.begin(CHECK_INTERNET);
                self.put(LOAD, low(2), NEXT, NEXT);
                self.put(JUMP_ABOVE, HIGHEST_PROTOCOL, label(NO_FAMILY), label(ALLOW));
            }
        }
    }

    const fn answers(&mut self, tier: Tier) {
        let mut answer = 0;
        while answer < ANSWERS {
            self.begin(answer);
            self.put(RETURN, answer_value(answer, tier), NEXT, NEXT);
            answer += 1;
        }
    }

    const fn finish(&self) -> Program {
        let mut code = [sock_filter { code: 0, jt: 0, jf: 0, k: 0 }; MOST];
        let mut at = 0;
        while at < self.len {
            let step = self.steps[at];
            code[at] =
                sock_filter { code: step.code, jt: self.offset(at, step.yes), jf: self.offset(at, step.no), k: step.k };
            at += 1;
        }
        Program { code, len: self.len }
    }

    /// The distance to a goal, counted from the instruction after `at`. Programs go forward only.
    const fn offset(&self, at: usize, goal: Goal) -> u8 {
        let address = if goal == NEXT {
            at + 1
        } else if goal >= LABELS {
            self.address[(goal - LABELS) as usize] as usize
        } else {
            goal as usize
        };
        assert!(address > at, "a filter jumps forward, to targets that exist");
        (address - at - 1) as u8
    }
}

const fn answer_value(answer: u8, tier: Tier) -> u32 {
    match answer {
        ALLOW => libc::SECCOMP_RET_ALLOW,
        REFUSE => libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        ABSENT => libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
        NO_FAMILY => match tier {
            Tier::Namespaces => libc::SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT as u32,
            Tier::Landlock => libc::SECCOMP_RET_ERRNO | libc::EACCES as u32,
        },
        _ => libc::SECCOMP_RET_KILL_PROCESS,
    }
}

/// Both architectures are compiled in every build, so that neither can outgrow the budget unseen.
const _: () = {
    let mut variant = 0;
    while variant < Openings::ALL.len() {
        assert!(Openings::ALL[variant].index() == variant, "`ALL` and `index` disagree");
        compile(Arch::X86_64, Openings::ALL[variant]);
        compile(Arch::Aarch64, Openings::ALL[variant]);
        variant += 1;
    }
};
