//! The types of object that have a descriptor, and their generic mappings.

use super::{AccessMask, GenericMapping, rights};

/// A type of object that can be secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // The names are those of the object manager and say all that there is to say.
pub enum ObjectType {
    File,
    Directory,
    Pipe,
    Key,
    Process,
    Thread,
    Token,
    Section,
    ObjectDirectory,
    SymbolicLink,
    AlpcPort,
    Job,
    Event,
    Mutant,
    Semaphore,
    Timer,
    Desktop,
    WindowStation,
    ServiceManager,
    Service,
}

impl ObjectType {
    /// Every type.
    pub const ALL: [ObjectType; 20] = [
        ObjectType::File,
        ObjectType::Directory,
        ObjectType::Pipe,
        ObjectType::Key,
        ObjectType::Process,
        ObjectType::Thread,
        ObjectType::Token,
        ObjectType::Section,
        ObjectType::ObjectDirectory,
        ObjectType::SymbolicLink,
        ObjectType::AlpcPort,
        ObjectType::Job,
        ObjectType::Event,
        ObjectType::Mutant,
        ObjectType::Semaphore,
        ObjectType::Timer,
        ObjectType::Desktop,
        ObjectType::WindowStation,
        ObjectType::ServiceManager,
        ObjectType::Service,
    ];

    /// The generic mapping.
    ///
    /// Objects of the kernel: as measured with `NtQueryObject` on Windows 10 version 2004 and published (mtth-bfft/nt-object-types),
    /// which agrees with `winnt.h` and Microsoft Learn but for keys, whose execute holds `KEY_CREATE_LINK`, and tokens. Services and their
    /// manager are no objects of the kernel: the tables of Microsoft Learn ("Service Security and Access Rights").
    pub const fn mapping(self) -> &'static GenericMapping {
        match self {
            ObjectType::File | ObjectType::Directory | ObjectType::Pipe => &FILE,
            ObjectType::Key => &KEY,
            ObjectType::Process => &PROCESS,
            ObjectType::Thread => &THREAD,
            ObjectType::Token => &TOKEN,
            ObjectType::Section => &SECTION,
            ObjectType::ObjectDirectory => &OBJECT_DIRECTORY,
            ObjectType::SymbolicLink => &SYMBOLIC_LINK,
            ObjectType::AlpcPort => &ALPC_PORT,
            ObjectType::Job => &JOB,
            ObjectType::Event | ObjectType::Semaphore | ObjectType::Timer => &EVENT,
            ObjectType::Mutant => &MUTANT,
            ObjectType::Desktop => &DESKTOP,
            ObjectType::WindowStation => &WINDOW_STATION,
            ObjectType::ServiceManager => &SERVICE_MANAGER,
            ObjectType::Service => &SERVICE,
        }
    }

    /// The names of the rights that only this type has, one bit each.
    pub fn right_names(self) -> &'static [(AccessMask, &'static str)] {
        match self {
            ObjectType::File => rights::FILE,
            ObjectType::Directory => rights::DIRECTORY,
            ObjectType::Pipe => rights::PIPE,
            ObjectType::Key => rights::KEY,
            ObjectType::Process => rights::PROCESS,
            ObjectType::Thread => rights::THREAD,
            ObjectType::Token => rights::TOKEN,
            ObjectType::Section => rights::SECTION,
            ObjectType::ObjectDirectory => rights::OBJECT_DIRECTORY,
            ObjectType::SymbolicLink => rights::SYMBOLIC_LINK,
            ObjectType::AlpcPort => rights::ALPC_PORT,
            ObjectType::Job => rights::JOB,
            ObjectType::Event => rights::EVENT,
            ObjectType::Mutant => rights::MUTANT,
            ObjectType::Semaphore => rights::SEMAPHORE,
            ObjectType::Timer => rights::TIMER,
            ObjectType::Desktop => rights::DESKTOP,
            ObjectType::WindowStation => rights::WINDOW_STATION,
            ObjectType::ServiceManager => rights::SERVICE_MANAGER,
            ObjectType::Service => rights::SERVICE,
        }
    }

    /// The bit of the right with this name, such as `FILE_READ_DATA`, among this type's own and the standard ones.
    pub fn right(self, name: &str) -> Option<AccessMask> {
        let mut all = self.right_names().iter().chain(rights::COMMON);
        all.find(|(_, known)| *known == name).map(|(mask, _)| *mask)
    }
}

const fn mapping(read: u32, write: u32, execute: u32, all: u32) -> GenericMapping {
    GenericMapping {
        read: AccessMask(read),
        write: AccessMask(write),
        execute: AccessMask(execute),
        all: AccessMask(all),
    }
}

static FILE: GenericMapping = mapping(0x12_0089, 0x12_0116, 0x12_00A0, 0x1F_01FF);
static KEY: GenericMapping = mapping(0x02_0019, 0x02_0006, 0x02_0039, 0x0F_003F);
static PROCESS: GenericMapping = mapping(0x02_0410, 0x02_0BEA, 0x12_1001, 0x1F_FFFF);
static THREAD: GenericMapping = mapping(0x02_0048, 0x02_0437, 0x12_1800, 0x1F_FFFF);
static TOKEN: GenericMapping = mapping(0x02_001A, 0x02_01E0, 0x02_0005, 0x0F_01FF);
static SECTION: GenericMapping = mapping(0x02_0005, 0x02_0002, 0x02_0008, 0x0F_001F);
static OBJECT_DIRECTORY: GenericMapping = mapping(0x02_0003, 0x02_000C, 0x02_0003, 0x0F_000F);
static SYMBOLIC_LINK: GenericMapping = mapping(0x02_0001, 0x02_0000, 0x02_0001, 0x0F_0001);
static ALPC_PORT: GenericMapping = mapping(0x02_0001, 0x01_0001, 0x00_0000, 0x1F_0001);
static JOB: GenericMapping = mapping(0x02_0004, 0x02_000B, 0x12_0000, 0x1F_003F);
static EVENT: GenericMapping = mapping(0x02_0001, 0x02_0002, 0x12_0000, 0x1F_0003);
static MUTANT: GenericMapping = mapping(0x02_0001, 0x02_0000, 0x12_0000, 0x1F_0001);
static DESKTOP: GenericMapping = mapping(0x02_0041, 0x02_00BE, 0x02_0100, 0x0F_01FF);
static WINDOW_STATION: GenericMapping = mapping(0x02_0303, 0x02_001C, 0x02_0060, 0x0F_037F);
static SERVICE_MANAGER: GenericMapping = mapping(0x02_0014, 0x02_0022, 0x02_0009, 0x0F_003F);
static SERVICE: GenericMapping = mapping(0x02_008D, 0x02_0002, 0x02_0170, 0x0F_01FF);
