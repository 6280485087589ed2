//! Questions for a recording: descriptors and requests at random, dense in what decides, the same for the same seed.
//!
//! The shapes are those of the tests that compare this model with other implementations (`tests/support/shapes.rs`): few SIDs, so that
//! they meet; masks that overlap; every odd shape of a DACL. They are made here without a test library, because a recording is
//! made by the program itself on somebody's Windows. `AccessCheck` wants an owner and a group in every descriptor, so there are both.

use crate::check::Request;
use crate::token::{GroupUse, Integrity, Token};
use crate::{AccessMask, Ace, AceFlags, AceKind, Acl, AclField, ObjectType, SecurityDescriptor, Sid};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The object.
    pub descriptor: SecurityDescriptor,
    /// What is asked for, before mapping.
    pub request: Request,
}

/// An endless sequence of questions to one token.
#[derive(Debug, Clone)]
pub struct Questions {
    dice: Dice,
    /// SIDs that decide: the user, restricting and deny-only ones.
    pivotal: Vec<Sid>,
    /// All other SIDs of the token.
    groups: Vec<Sid>,
}

/// SIDs that none of the tokens has: an entry for them says nothing.
const STRANGERS: [Sid; 3] = [Sid::SYSTEM, Sid::account([1, 2, 3], 1001), Sid::numbered_capability(1)];

impl Questions {
    /// The questions of this seed to this token. Entries name the SIDs that the token has, and a few that it has not.
    pub fn new(seed: u64, token: &Token) -> Questions {
        let mut pivotal = vec![token.user];
        let mut groups = Vec::new();
        for group in &token.groups {
            let list = if group.used == GroupUse::Enabled { &mut groups } else { &mut pivotal };
            list.push(group.sid);
        }
        pivotal.extend(token.restricting.iter().flat_map(|list| &list.sids));
        groups.push(Sid::EVERYONE);
        Questions { dice: Dice(seed), pivotal, groups }
    }

    fn sid(&mut self) -> Sid {
        match self.dice.below(16) {
            0 => Sid::OWNER_RIGHTS,
            1 => self.dice.pick(&STRANGERS, Sid::SYSTEM),
            2..=8 => self.dice.pick(&self.pivotal, Sid::SYSTEM),
            _ => self.dice.pick(&self.groups, Sid::SYSTEM),
        }
    }

    fn owner(&mut self) -> Sid {
        match self.dice.below(8) {
            0 => self.dice.pick(&STRANGERS, Sid::SYSTEM),
            1 | 2 => self.dice.pick(&self.groups, Sid::SYSTEM),
            _ => self.dice.pick(&self.pivotal, Sid::SYSTEM),
        }
    }

    /// One right, a few, a generic one, a usual set.
    fn rights(&mut self) -> AccessMask {
        const USUAL: [AccessMask; 5] = [
            AccessMask::FILE_ALL_ACCESS,
            AccessMask::FILE_GENERIC_READ,
            AccessMask::FILE_GENERIC_WRITE,
            AccessMask(0x0013_01bf),
            AccessMask(0x0006_0000),
        ];
        let mut all = AccessMask::NONE;
        for _ in 0..=self.dice.below(3) {
            all |= match self.dice.below(8) {
                0 => AccessMask(1 << (28 + self.dice.below(4))),
                1 => self.dice.pick(&USUAL, AccessMask::NONE),
                2..=4 => AccessMask(1 << (16 + self.dice.below(5))),
                _ => AccessMask(1 << self.dice.below(9)),
            };
        }
        all
    }

    fn entry(&mut self) -> Ace {
        let kind = if self.dice.below(5) < 3 { AceKind::Allow } else { AceKind::Deny };
        let flags = match self.dice.below(11) {
            0 => AceFlags::INHERITED,
            1 => AceFlags::INHERIT_ONLY | AceFlags::CONTAINER_INHERIT,
            2 => AceFlags::OBJECT_INHERIT,
            _ => AceFlags::NONE,
        };
        let mask = self.rights();
        Ace::known(kind, flags, mask, self.sid())
    }

    fn dacl(&mut self) -> AclField {
        match self.dice.below(19) {
            0 => AclField::Absent,
            1 => AclField::Null,
            2 => AclField::Present(Acl::default()),
            _ => AclField::Present(Acl::new((0..=self.dice.below(8)).map(|_| self.entry()).collect())),
        }
    }

    /// A label now and then, seldom two.
    fn sacl(&mut self) -> AclField {
        let count = match self.dice.below(8) {
            0..=4 => return AclField::Absent,
            5 | 6 => 1,
            _ => self.dice.below(3),
        };
        let levels = [Integrity::LOW, Integrity::MEDIUM, Integrity::HIGH];
        let label = |dice: &mut Dice| {
            let (level, policy) =
                (dice.pick(&levels, Integrity::MEDIUM), AccessMask(1 << dice.below(3) | dice.below(8)));
            let flags = if dice.below(7) == 0 { AceFlags::INHERIT_ONLY } else { AceFlags::NONE };
            Ace::label(level.sid(), policy).with_flags(flags)
        };
        AclField::Present(Acl::new((0..count).map(|_| label(&mut self.dice)).collect()))
    }

    fn request(&mut self) -> Request {
        let object = match self.dice.below(8) {
            0 => ObjectType::Process,
            1 => ObjectType::Key,
            2 => ObjectType::AlpcPort,
            _ => ObjectType::File,
        };
        let desired = match self.dice.below(16) {
            0 => AccessMask::NONE,
            1..=3 => AccessMask::MAXIMUM_ALLOWED,
            4 | 5 => self.rights() | AccessMask::MAXIMUM_ALLOWED,
            6 => self.rights() | AccessMask::ACCESS_SYSTEM_SECURITY,
            _ => self.rights(),
        };
        Request::new(object, desired)
    }
}

impl Iterator for Questions {
    type Item = Question;

    fn next(&mut self) -> Option<Question> {
        let (owner, group) = (self.owner(), self.owner());
        let mut descriptor = SecurityDescriptor::new(owner, group, Acl::default());
        descriptor.dacl = self.dacl();
        descriptor.sacl = self.sacl();
        Some(Question { descriptor, request: self.request() })
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same numbers everywhere. Nothing secret depends on it.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is small: the few of the highest numbers that come more seldom are not missed.
    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap_or_default()
    }

    /// One of a list that is not empty; of an empty one, what stands in for it.
    fn pick<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(self.below(count)).unwrap_or_default();
        list.get(index).copied().unwrap_or(otherwise)
    }
}
