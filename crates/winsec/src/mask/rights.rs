//! The names of the rights of each type, as in the public headers and in Microsoft Learn, in the order of their bits.

use super::AccessMask;

/// The names of some bits.
type Names = &'static [(AccessMask, &'static str)];

/// The rights that every type has.
pub(super) const COMMON: Names = &[
    (AccessMask::DELETE, "DELETE"),
    (AccessMask::READ_CONTROL, "READ_CONTROL"),
    (AccessMask::WRITE_DAC, "WRITE_DAC"),
    (AccessMask::WRITE_OWNER, "WRITE_OWNER"),
    (AccessMask::SYNCHRONIZE, "SYNCHRONIZE"),
    (AccessMask::ACCESS_SYSTEM_SECURITY, "ACCESS_SYSTEM_SECURITY"),
    (AccessMask::MAXIMUM_ALLOWED, "MAXIMUM_ALLOWED"),
    (AccessMask::GENERIC_ALL, "GENERIC_ALL"),
    (AccessMask::GENERIC_EXECUTE, "GENERIC_EXECUTE"),
    (AccessMask::GENERIC_WRITE, "GENERIC_WRITE"),
    (AccessMask::GENERIC_READ, "GENERIC_READ"),
];

pub(super) const FILE: Names = &[
    (AccessMask(0x1), "FILE_READ_DATA"),
    (AccessMask(0x2), "FILE_WRITE_DATA"),
    (AccessMask(0x4), "FILE_APPEND_DATA"),
    (AccessMask(0x8), "FILE_READ_EA"),
    (AccessMask(0x10), "FILE_WRITE_EA"),
    (AccessMask(0x20), "FILE_EXECUTE"),
    (AccessMask(0x40), "FILE_DELETE_CHILD"),
    (AccessMask(0x80), "FILE_READ_ATTRIBUTES"),
    (AccessMask(0x100), "FILE_WRITE_ATTRIBUTES"),
];

pub(super) const DIRECTORY: Names = &[
    (AccessMask(0x1), "FILE_LIST_DIRECTORY"),
    (AccessMask(0x2), "FILE_ADD_FILE"),
    (AccessMask(0x4), "FILE_ADD_SUBDIRECTORY"),
    (AccessMask(0x8), "FILE_READ_EA"),
    (AccessMask(0x10), "FILE_WRITE_EA"),
    (AccessMask(0x20), "FILE_TRAVERSE"),
    (AccessMask(0x40), "FILE_DELETE_CHILD"),
    (AccessMask(0x80), "FILE_READ_ATTRIBUTES"),
    (AccessMask(0x100), "FILE_WRITE_ATTRIBUTES"),
];

pub(super) const PIPE: Names = &[
    (AccessMask(0x1), "FILE_READ_DATA"),
    (AccessMask(0x2), "FILE_WRITE_DATA"),
    (AccessMask(0x4), "FILE_CREATE_PIPE_INSTANCE"),
    (AccessMask(0x8), "FILE_READ_EA"),
    (AccessMask(0x10), "FILE_WRITE_EA"),
    (AccessMask(0x20), "FILE_EXECUTE"),
    (AccessMask(0x40), "FILE_DELETE_CHILD"),
    (AccessMask(0x80), "FILE_READ_ATTRIBUTES"),
    (AccessMask(0x100), "FILE_WRITE_ATTRIBUTES"),
];

pub(super) const KEY: Names = &[
    (AccessMask(0x1), "KEY_QUERY_VALUE"),
    (AccessMask(0x2), "KEY_SET_VALUE"),
    (AccessMask(0x4), "KEY_CREATE_SUB_KEY"),
    (AccessMask(0x8), "KEY_ENUMERATE_SUB_KEYS"),
    (AccessMask(0x10), "KEY_NOTIFY"),
    (AccessMask(0x20), "KEY_CREATE_LINK"),
];

pub(super) const PROCESS: Names = &[
    (AccessMask(0x1), "PROCESS_TERMINATE"),
    (AccessMask(0x2), "PROCESS_CREATE_THREAD"),
    (AccessMask(0x4), "PROCESS_SET_SESSIONID"),
    (AccessMask(0x8), "PROCESS_VM_OPERATION"),
    (AccessMask(0x10), "PROCESS_VM_READ"),
    (AccessMask(0x20), "PROCESS_VM_WRITE"),
    (AccessMask(0x40), "PROCESS_DUP_HANDLE"),
    (AccessMask(0x80), "PROCESS_CREATE_PROCESS"),
    (AccessMask(0x100), "PROCESS_SET_QUOTA"),
    (AccessMask(0x200), "PROCESS_SET_INFORMATION"),
    (AccessMask(0x400), "PROCESS_QUERY_INFORMATION"),
    (AccessMask(0x800), "PROCESS_SUSPEND_RESUME"),
    (AccessMask(0x1000), "PROCESS_QUERY_LIMITED_INFORMATION"),
    (AccessMask(0x2000), "PROCESS_SET_LIMITED_INFORMATION"),
];

pub(super) const THREAD: Names = &[
    (AccessMask(0x1), "THREAD_TERMINATE"),
    (AccessMask(0x2), "THREAD_SUSPEND_RESUME"),
    (AccessMask(0x4), "THREAD_ALERT"),
    (AccessMask(0x8), "THREAD_GET_CONTEXT"),
    (AccessMask(0x10), "THREAD_SET_CONTEXT"),
    (AccessMask(0x20), "THREAD_SET_INFORMATION"),
    (AccessMask(0x40), "THREAD_QUERY_INFORMATION"),
    (AccessMask(0x80), "THREAD_SET_THREAD_TOKEN"),
    (AccessMask(0x100), "THREAD_IMPERSONATE"),
    (AccessMask(0x200), "THREAD_DIRECT_IMPERSONATION"),
    (AccessMask(0x400), "THREAD_SET_LIMITED_INFORMATION"),
    (AccessMask(0x800), "THREAD_QUERY_LIMITED_INFORMATION"),
    (AccessMask(0x1000), "THREAD_RESUME"),
];

pub(super) const TOKEN: Names = &[
    (AccessMask(0x1), "TOKEN_ASSIGN_PRIMARY"),
    (AccessMask(0x2), "TOKEN_DUPLICATE"),
    (AccessMask(0x4), "TOKEN_IMPERSONATE"),
    (AccessMask(0x8), "TOKEN_QUERY"),
    (AccessMask(0x10), "TOKEN_QUERY_SOURCE"),
    (AccessMask(0x20), "TOKEN_ADJUST_PRIVILEGES"),
    (AccessMask(0x40), "TOKEN_ADJUST_GROUPS"),
    (AccessMask(0x80), "TOKEN_ADJUST_DEFAULT"),
    (AccessMask(0x100), "TOKEN_ADJUST_SESSIONID"),
];

pub(super) const SECTION: Names = &[
    (AccessMask(0x1), "SECTION_QUERY"),
    (AccessMask(0x2), "SECTION_MAP_WRITE"),
    (AccessMask(0x4), "SECTION_MAP_READ"),
    (AccessMask(0x8), "SECTION_MAP_EXECUTE"),
    (AccessMask(0x10), "SECTION_EXTEND_SIZE"),
    (AccessMask(0x20), "SECTION_MAP_EXECUTE_EXPLICIT"),
];

pub(super) const OBJECT_DIRECTORY: Names = &[
    (AccessMask(0x1), "DIRECTORY_QUERY"),
    (AccessMask(0x2), "DIRECTORY_TRAVERSE"),
    (AccessMask(0x4), "DIRECTORY_CREATE_OBJECT"),
    (AccessMask(0x8), "DIRECTORY_CREATE_SUBDIRECTORY"),
];

pub(super) const SYMBOLIC_LINK: Names =
    &[(AccessMask(0x1), "SYMBOLIC_LINK_QUERY"), (AccessMask(0x2), "SYMBOLIC_LINK_SET")];

pub(super) const ALPC_PORT: Names = &[(AccessMask(0x1), "PORT_CONNECT")];

pub(super) const JOB: Names = &[
    (AccessMask(0x1), "JOB_OBJECT_ASSIGN_PROCESS"),
    (AccessMask(0x2), "JOB_OBJECT_SET_ATTRIBUTES"),
    (AccessMask(0x4), "JOB_OBJECT_QUERY"),
    (AccessMask(0x8), "JOB_OBJECT_TERMINATE"),
    (AccessMask(0x10), "JOB_OBJECT_SET_SECURITY_ATTRIBUTES"),
    (AccessMask(0x20), "JOB_OBJECT_IMPERSONATE"),
];

pub(super) const EVENT: Names = &[(AccessMask(0x1), "EVENT_QUERY_STATE"), (AccessMask(0x2), "EVENT_MODIFY_STATE")];

pub(super) const MUTANT: Names = &[(AccessMask(0x1), "MUTANT_QUERY_STATE")];

pub(super) const SEMAPHORE: Names =
    &[(AccessMask(0x1), "SEMAPHORE_QUERY_STATE"), (AccessMask(0x2), "SEMAPHORE_MODIFY_STATE")];

pub(super) const TIMER: Names = &[(AccessMask(0x1), "TIMER_QUERY_STATE"), (AccessMask(0x2), "TIMER_MODIFY_STATE")];

pub(super) const DESKTOP: Names = &[
    (AccessMask(0x1), "DESKTOP_READOBJECTS"),
    (AccessMask(0x2), "DESKTOP_CREATEWINDOW"),
    (AccessMask(0x4), "DESKTOP_CREATEMENU"),
    (AccessMask(0x8), "DESKTOP_HOOKCONTROL"),
    (AccessMask(0x10), "DESKTOP_JOURNALRECORD"),
    (AccessMask(0x20), "DESKTOP_JOURNALPLAYBACK"),
    (AccessMask(0x40), "DESKTOP_ENUMERATE"),
    (AccessMask(0x80), "DESKTOP_WRITEOBJECTS"),
    (AccessMask(0x100), "DESKTOP_SWITCHDESKTOP"),
];

pub(super) const WINDOW_STATION: Names = &[
    (AccessMask(0x1), "WINSTA_ENUMDESKTOPS"),
    (AccessMask(0x2), "WINSTA_READATTRIBUTES"),
    (AccessMask(0x4), "WINSTA_ACCESSCLIPBOARD"),
    (AccessMask(0x8), "WINSTA_CREATEDESKTOP"),
    (AccessMask(0x10), "WINSTA_WRITEATTRIBUTES"),
    (AccessMask(0x20), "WINSTA_ACCESSGLOBALATOMS"),
    (AccessMask(0x40), "WINSTA_EXITWINDOWS"),
    (AccessMask(0x100), "WINSTA_ENUMERATE"),
    (AccessMask(0x200), "WINSTA_READSCREEN"),
];

pub(super) const SERVICE_MANAGER: Names = &[
    (AccessMask(0x1), "SC_MANAGER_CONNECT"),
    (AccessMask(0x2), "SC_MANAGER_CREATE_SERVICE"),
    (AccessMask(0x4), "SC_MANAGER_ENUMERATE_SERVICE"),
    (AccessMask(0x8), "SC_MANAGER_LOCK"),
    (AccessMask(0x10), "SC_MANAGER_QUERY_LOCK_STATUS"),
    (AccessMask(0x20), "SC_MANAGER_MODIFY_BOOT_CONFIG"),
];

pub(super) const SERVICE: Names = &[
    (AccessMask(0x1), "SERVICE_QUERY_CONFIG"),
    (AccessMask(0x2), "SERVICE_CHANGE_CONFIG"),
    (AccessMask(0x4), "SERVICE_QUERY_STATUS"),
    (AccessMask(0x8), "SERVICE_ENUMERATE_DEPENDENTS"),
    (AccessMask(0x10), "SERVICE_START"),
    (AccessMask(0x20), "SERVICE_STOP"),
    (AccessMask(0x40), "SERVICE_PAUSE_CONTINUE"),
    (AccessMask(0x80), "SERVICE_INTERROGATE"),
    (AccessMask(0x100), "SERVICE_USER_DEFINED_CONTROL"),
];
