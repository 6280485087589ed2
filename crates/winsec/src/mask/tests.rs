use super::*;

/// The names of the rights in `mask` as text, for the tables below.
fn bits(object: ObjectType, names: &[&str]) -> AccessMask {
    names.iter().fold(AccessMask::NONE, |mask, name| mask | object.right(name).unwrap_or_else(|| panic!("{name}")))
}

#[test]
fn write_type_bits_of_a_file() {
    assert_eq!(write_type_bits(ObjectType::File), AccessMask(0x10D_0116));
    assert!(!write_type_bits(ObjectType::Directory).intersects(AccessMask::FILE_DELETE_CHILD));
}

/// For each type, the specific rights that trigger the second check, all of them; and dangerous ones that do not.
#[test]
fn write_type_bits_of_every_type_that_matters() {
    let standard = AccessMask(0x10D_0000);
    let table: &[(ObjectType, &[&str], &[&str])] = &[
        (
            ObjectType::Directory,
            &["FILE_ADD_FILE", "FILE_ADD_SUBDIRECTORY", "FILE_WRITE_EA", "FILE_WRITE_ATTRIBUTES"],
            &["FILE_DELETE_CHILD", "FILE_LIST_DIRECTORY", "FILE_TRAVERSE"],
        ),
        (ObjectType::Key, &["KEY_SET_VALUE", "KEY_CREATE_SUB_KEY"], &["KEY_CREATE_LINK", "KEY_NOTIFY"]),
        (
            ObjectType::Process,
            &[
                "PROCESS_CREATE_THREAD",
                "PROCESS_VM_OPERATION",
                "PROCESS_VM_WRITE",
                "PROCESS_DUP_HANDLE",
                "PROCESS_CREATE_PROCESS",
                "PROCESS_SET_QUOTA",
                "PROCESS_SET_INFORMATION",
                "PROCESS_SUSPEND_RESUME",
            ],
            &["PROCESS_VM_READ", "PROCESS_QUERY_INFORMATION", "PROCESS_TERMINATE", "PROCESS_SET_LIMITED_INFORMATION"],
        ),
        (
            ObjectType::Thread,
            &[
                "THREAD_TERMINATE",
                "THREAD_SUSPEND_RESUME",
                "THREAD_ALERT",
                "THREAD_SET_CONTEXT",
                "THREAD_SET_INFORMATION",
                "THREAD_SET_LIMITED_INFORMATION",
            ],
            &["THREAD_GET_CONTEXT", "THREAD_IMPERSONATE", "THREAD_DIRECT_IMPERSONATION", "THREAD_SET_THREAD_TOKEN"],
        ),
        (
            ObjectType::Token,
            &["TOKEN_ADJUST_PRIVILEGES", "TOKEN_ADJUST_GROUPS", "TOKEN_ADJUST_DEFAULT", "TOKEN_ADJUST_SESSIONID"],
            &["TOKEN_DUPLICATE", "TOKEN_IMPERSONATE", "TOKEN_ASSIGN_PRIMARY", "TOKEN_QUERY"],
        ),
        (ObjectType::Section, &["SECTION_MAP_WRITE"], &["SECTION_MAP_READ", "SECTION_MAP_EXECUTE"]),
        (
            ObjectType::ObjectDirectory,
            &["DIRECTORY_CREATE_OBJECT", "DIRECTORY_CREATE_SUBDIRECTORY"],
            &["DIRECTORY_QUERY", "DIRECTORY_TRAVERSE"],
        ),
        (ObjectType::AlpcPort, &[], &["PORT_CONNECT"]),
        (
            ObjectType::Job,
            &["JOB_OBJECT_ASSIGN_PROCESS", "JOB_OBJECT_SET_ATTRIBUTES", "JOB_OBJECT_TERMINATE"],
            &["JOB_OBJECT_QUERY"],
        ),
        (
            ObjectType::Desktop,
            &[
                "DESKTOP_CREATEWINDOW",
                "DESKTOP_CREATEMENU",
                "DESKTOP_HOOKCONTROL",
                "DESKTOP_JOURNALRECORD",
                "DESKTOP_JOURNALPLAYBACK",
                "DESKTOP_WRITEOBJECTS",
            ],
            &["DESKTOP_READOBJECTS", "DESKTOP_ENUMERATE"],
        ),
        (
            ObjectType::WindowStation,
            &["WINSTA_ACCESSCLIPBOARD", "WINSTA_CREATEDESKTOP", "WINSTA_WRITEATTRIBUTES"],
            &["WINSTA_READSCREEN", "WINSTA_ENUMDESKTOPS"],
        ),
        (
            ObjectType::ServiceManager,
            &["SC_MANAGER_CREATE_SERVICE", "SC_MANAGER_MODIFY_BOOT_CONFIG"],
            &["SC_MANAGER_CONNECT"],
        ),
        (ObjectType::Service, &["SERVICE_CHANGE_CONFIG"], &["SERVICE_START", "SERVICE_STOP", "SERVICE_QUERY_CONFIG"]),
    ];
    for (object, write, not) in table {
        assert_eq!(write_type_bits(*object), standard | bits(*object, write), "{object:?}");
        assert!(!write_type_bits(*object).intersects(bits(*object, not)), "{object:?}");
    }
}

#[test]
fn all_holds_read_write_and_execute() {
    for object in ObjectType::ALL {
        let mapping = object.mapping();
        assert!(mapping.all.contains(mapping.read | mapping.write | mapping.execute), "{object:?}");
        assert!(!mapping.all.intersects(AccessMask::GENERIC), "{object:?}");
        let named = object.right_names().iter().fold(AccessMask::NONE, |all, (bit, _)| all | *bit);
        let generic = mapping.map(AccessMask(0xE000_0000)) & AccessMask::SPECIFIC;
        assert!(named.contains(generic), "{object:?} has a right without a name");
    }
}

#[test]
fn names_are_single_bits_in_order() {
    for object in ObjectType::ALL {
        assert!(object.right_names().is_sorted_by_key(|(bit, _)| bit.bits()), "{object:?}");
        assert!(object.right_names().iter().all(|(bit, _)| bit.bits().is_power_of_two()), "{object:?}");
    }
    assert_eq!(ObjectType::Process.right("PROCESS_SET_LIMITED_INFORMATION"), Some(AccessMask(0x2000)));
    assert_eq!(ObjectType::WindowStation.right("WINSTA_READSCREEN"), Some(AccessMask(0x200)));
}

/// Read, write, execute and all as `NtQueryObject` gave them on Windows 10 version 2004 (published: mtth-bfft/nt-object-types).
#[test]
fn the_mappings_are_those_that_were_measured() {
    let measured: &[(ObjectType, [u32; 4])] = &[
        (ObjectType::ObjectDirectory, [0x20003, 0x2000C, 0x20003, 0xF000F]),
        (ObjectType::SymbolicLink, [0x20001, 0x20000, 0x20001, 0xF0001]),
        (ObjectType::Token, [0x2001A, 0x201E0, 0x20005, 0xF01FF]),
        (ObjectType::Job, [0x20004, 0x2000B, 0x120000, 0x1F003F]),
        (ObjectType::Process, [0x20410, 0x20BEA, 0x121001, 0x1FFFFF]),
        (ObjectType::Thread, [0x20048, 0x20437, 0x121800, 0x1FFFFF]),
        (ObjectType::Event, [0x20001, 0x20002, 0x120000, 0x1F0003]),
        (ObjectType::Mutant, [0x20001, 0x20000, 0x120000, 0x1F0001]),
        (ObjectType::Semaphore, [0x20001, 0x20002, 0x120000, 0x1F0003]),
        (ObjectType::Timer, [0x20001, 0x20002, 0x120000, 0x1F0003]),
        (ObjectType::WindowStation, [0x20303, 0x2001C, 0x20060, 0xF037F]),
        (ObjectType::Desktop, [0x20041, 0x200BE, 0x20100, 0xF01FF]),
        (ObjectType::File, [0x120089, 0x120116, 0x1200A0, 0x1F01FF]),
        (ObjectType::Directory, [0x120089, 0x120116, 0x1200A0, 0x1F01FF]),
        (ObjectType::Pipe, [0x120089, 0x120116, 0x1200A0, 0x1F01FF]),
        (ObjectType::Section, [0x20005, 0x20002, 0x20008, 0xF001F]),
        (ObjectType::Key, [0x20019, 0x20006, 0x20039, 0xF003F]),
        (ObjectType::AlpcPort, [0x20001, 0x10001, 0, 0x1F0001]),
    ];
    for (object, [read, write, execute, all]) in measured {
        let [read, write, execute, all] = [read, write, execute, all].map(|bits| AccessMask(*bits));
        assert_eq!(object.mapping(), &GenericMapping { read, write, execute, all }, "{object:?}");
    }
    assert_eq!(measured.len() + 2, ObjectType::ALL.len(), "all but the two of the service manager");
}

#[test]
fn what_read_or_execute_also_give_is_no_write_type_bit() {
    let mapping =
        GenericMapping { read: AccessMask(1), write: AccessMask(7), execute: AccessMask(2), all: AccessMask(7) };
    assert_eq!(mapping.write_type_bits(), AccessMask(0x10D_0004));
}

#[test]
fn maps_generic_rights() {
    let file = ObjectType::File.mapping();
    assert_eq!(file.map(AccessMask::GENERIC_READ), AccessMask::FILE_GENERIC_READ);
    assert_eq!(file.map(AccessMask::GENERIC_ALL | AccessMask(0x0200_0000)), AccessMask(0x021F_01FF));
    assert_eq!(file.map(AccessMask(0x1301BF)), AccessMask(0x1301BF));
}

#[test]
fn names_rights_for_people() {
    assert_eq!(AccessMask(0x0001_0042).names(ObjectType::Directory), ["FILE_ADD_FILE", "FILE_DELETE_CHILD", "DELETE"]);
    assert_eq!(AccessMask(0x0080_0001).names(ObjectType::File), ["FILE_READ_DATA", "0x800000"]);
}
