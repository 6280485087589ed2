use proptest::prelude::*;

use super::*;
use crate::policy::{Base, FileRuleKind};

fn source() -> Source {
    Source::File("/w/bailiwick.toml".into())
}

fn parse(text: &str) -> Document {
    Document::parse(text, source(), Layer::User).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    match Document::parse(text, source(), Layer::User) {
        Ok(_) => panic!("understood: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_key_is_read_with_its_line() {
    let document = parse(
        r#"extends = ["workspace",
  "node"]
[files]
read = [
  "~/.gitconfig",   # a comment
  "/opt/sdk" ]
write = ["."]
deny = ["**/.env", '/a/\*']
protect = [".git/hooks"]
search_limit = 1_000
[network]
allow = ["*.example.org:8443"]
deny = ["gist.github.com"]
sockets = ["/run/a.sock"]
[environment]
pass = ["LC_*"]
set = { CI = "1" }
[limits]
time = "1h30m"
memory = "2GiB"
processes = 512
file_size = 1024
open_files = 0x100
[workspace]
mode = "layer"
[isolation]
tier = "landlock"
accept = ["reads-confined"]
trace = true
nested_namespaces = false
"#,
    );
    let lines = |entries: &Option<Vec<FileEntry>>| -> Vec<(String, Option<u32>, bool)> {
        let entries = entries.iter().flatten();
        entries.map(|entry| (entry.text.to_str().expect("text").into(), entry.origin.line, entry.glob)).collect()
    };
    assert_eq!(
        document.extends.iter().flatten().map(|rule| (&*rule.value, rule.origin.line)).collect::<Vec<_>>(),
        [("workspace", Some(1)), ("node", Some(2))]
    );
    assert_eq!(
        lines(&document.files.read),
        [("~/.gitconfig".into(), Some(5), false), ("/opt/sdk".into(), Some(6), false)]
    );
    assert_eq!(lines(&document.files.deny), [("**/.env".into(), Some(8), true), ("/a/*".into(), Some(8), false)]);
    let write = document.files.write.as_ref().and_then(|list| list.first()).expect("a rule");
    assert_eq!((write.kind, write.base), (FileRuleKind::Write, Base::Workspace));
    assert_eq!(write.origin, Origin { layer: Layer::User, source: source(), line: Some(7) });
    let value = |limit: &Option<Ruled<u64>>| limit.as_ref().map(|limit| (limit.value, limit.origin.line));
    assert_eq!(value(&document.files.search_limit), Some((1000, Some(10))));
    assert_eq!(value(&document.limits.memory), Some((2 << 30, Some(20))));
    assert_eq!(value(&document.limits.processes), Some((512, Some(21))));
    assert_eq!(value(&document.limits.file_size), Some((1024, Some(22))));
    assert_eq!(value(&document.limits.open_files), Some((256, Some(23))));
    assert_eq!(document.limits.time.as_ref().map(|time| time.value.as_secs()), Some(5400));
    assert_eq!(document.mode.as_ref().map(|mode| mode.value), Some(WorkspaceMode::Layer));
    assert_eq!(document.isolation.tier.as_ref().map(|tier| tier.value), Some(TierChoice::Landlock));
    assert_eq!(document.isolation.trace.as_ref().map(|trace| trace.value), Some(true));
    assert_eq!(document.isolation.nested_namespaces.as_ref().map(|nested| nested.value), Some(false));
    let accept: Vec<_> = document.isolation.accept.iter().flatten().map(|loss| loss.value).collect();
    assert_eq!(accept, [Guarantee::ReadsConfined]);
    let hosts: Vec<_> = document.network.allow.iter().flatten().map(|rule| rule.value.to_string()).collect();
    assert_eq!(hosts, ["*.example.org:8443"]);
    assert_eq!(document.network.sockets.as_ref().map(Vec::len), Some(1));
    assert_eq!(
        document.environment.set.iter().flatten().next().map(|set| set.value.clone()),
        Some(("CI".into(), "1".into()))
    );
}

#[test]
fn hosts_are_texts_and_tables_and_credentials_tables_of_their_own() {
    let document = parse(
        r#"[network]
allow = [
  "github.com",
  { host = "GET,HEAD api.example.org/v1/**", inspect = true },
  { host = "git.example.org:9418", opaque = true },
  { host = "db.internal:5432", addresses = ["10.0.0.0/8", "2001:db8::1"] },
  "GET example.org:80/a",
  "10.0.0.0/8:5432" ]
deny = ["[2001:db8::]/32"]
[[network.credential]]
host = "api.example.org"
header = "Authorization"
prefix = "Bearer "
from = { env = "API_TOKEN" }
[[network.credential]]
host = "*.example.org"
header = "X-Key"
from = { command = ["gh", "auth", "token"] }
[[network.credential]]
host = "example.org:8443"
header = "x-key"
from = { file = "~/.token" }
"#,
    );
    let allow: Vec<_> = document
        .network
        .allow
        .iter()
        .flatten()
        .map(|rule| (rule.value.to_string(), rule.origin.line.expect("a line")))
        .collect();
    let wanted = [
        ("github.com", 3),
        (r#"{ host = "GET,HEAD api.example.org/v1/**", inspect = true }"#, 4),
        (r#"{ host = "git.example.org:9418", opaque = true }"#, 5),
        (r#"{ host = "db.internal:5432", addresses = ["10.0.0.0/8", "2001:db8::1"] }"#, 6),
        ("GET example.org:80/a", 7),
        ("10.0.0.0/8:5432", 8),
    ];
    assert_eq!(allow, wanted.map(|(text, line)| (text.to_owned(), line)));
    let credentials = document.network.credentials.expect("credentials");
    assert_eq!(credentials.iter().map(|one| one.origin.line).collect::<Vec<_>>(), [10, 15, 19].map(Some));
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&credentials.iter().map(|one| &one.value).collect::<Vec<_>>()).expect("JSON")
    );
    // What is shown reads back.
    for (text, _) in allow {
        let value = if text.starts_with('{') { text.clone() } else { format!("{text:?}") };
        let again = parse(&format!("[network]\nallow = [{value}]")).network.allow.expect("a list");
        assert_eq!(again.iter().map(|rule| rule.value.to_string()).collect::<Vec<_>>(), [text]);
    }
}

#[test]
fn nothing_written_is_not_an_empty_list() {
    assert_eq!(parse(""), Document::empty(source(), Layer::User));
    let document = parse("[files]\nread = []\n[network]\n");
    assert_eq!((document.files.read, document.files.write), (Some(vec![]), None));
}

#[test]
fn windows_line_ends_and_byte_order_marks_change_no_line() {
    let document = parse("\u{feff}[files]\r\nread = [\r\n'/a',\r\n]\r\n");
    assert_eq!(document.files.read.iter().flatten().next().and_then(|entry| entry.origin.line), Some(3));
}

#[test]
fn every_refusal_names_the_line_and_the_way_out() {
    let texts = [
        "raed = ['/a']",
        "read = ['/a']",
        "file = {}",
        "colour = 'red'",
        "files = ['/a']",
        "[files]\nraed = ['/a']",
        "[files]\nallow = ['a.org']",
        "[files]\nextends = []",
        "[network]\nhosts = []",
        "[limits]\ncpu = 1",
        "[network.allow]\nx = 1",
        "[files]\nread = '/a'",
        "[files]\nread = [\n'/a',\n7]",
        "[files]\nread = ['']",
        "[files]\nread = ['/a\\u0000']\nwrite = [\"/a\\u0000b\"]",
        "[files]\nread = ['~bob/x', '$HOME/x', '!x', 'C:\\x', 'a{b,c}']",
        "[files]\nread = ['/a/*.so']",
        "[files]\nsearch_limit = 0",
        "[files]\nsearch_limit = '1'",
        "[network]\nallow = ['https://example.org', '127.1', 'a..b']",
        "[network]\nsockets = ['/run/*.sock']",
        "[environment]\npass = ['A=B', 'A*B', '', 'A B', '**']",
        "[environment]\nset = { A = 1, 'B C' = 'x', 'D=' = '', E = \"\\u0000\" }",
        "[environment]\nset = ['A=1']",
        "[limits]\ntime = 30\nmemory = '2G'\nprocesses = 1.5\nopen_files = -3",
        "[limits]\ntime = '0s'",
        "[workspace]\nmode = 'Layer'",
        "[isolation]\ntier = 'docker'",
        "[isolation]\naccept = ['read-confined', 'all']",
        "[isolation]\ntrace = 'yes'",
        "extends = ['../x', '', 'a//b', '.hidden']",
        "a = 1\na = 2",
        "[files]\nread = ['/a'",
        "[files]\n[files]",
        "a = \0",
        "[files]\n\"\\u001b[31m\" = 1",
        "[network]\nallow = ['10.0.0.1/8', 'GET a.org/x', 'get a.org', 7]",
        "[network]\nallow = [\n{ inspect = true },\n{ host = 1 },\n{ host = 'a.org', inspct = true, \"x\\u001b\" = 1 },\n{ host = 'a.org', opaque = 'yes' }]",
        "[network]\nallow = [\n{ host = 'GET a.org/x' },\n{ host = 'a.org', opaque = true, inspect = true },\n{ host = 'a.org', addresses = ['10.0.0.1/8', 'b', 1] },\n{ host = 'a.org', addresses = '10.0.0.0/8' }]",
        "[network]\ndeny = ['GET a.org', 'a.org/x', { host = 'a.org' }]",
        "[network]\ncredential = { host = 'a.org' }",
        "[network]\ncredential = ['a.org']",
        "[[network.credential]]\nhosts = 'a.org'\nheader = 'x'\n[[network.credential]]\nhost = '*'\nheader = 'Host'\nfrom = { env = 'A', file = '/b' }",
        "[[network.credential]]\nhost = 'a.org:80'\nheader = 'a b'\nprefix = \"\\r\\n\"\nfrom = 'TOKEN'",
        "[[network.credential]]\nhost = '10.0.0.0/8'\nheader = ''\nprefix = 1\nfrom = { vault = 'x' }",
        "[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { env = 'A=B' }\n[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { file = 'token' }",
        "[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { command = ['./token.sh'] }\n[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { command = [] }",
        "[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { command = 'gh auth token' }\n[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = {}",
    ];
    let said: Vec<String> = texts.iter().map(|text| format!("--- {text:?}\n{}", refused(text))).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn all_problems_are_told_in_the_order_of_their_lines_up_to_a_screenful() {
    let error = Document::parse("x = 1\n[limits]\ntime = 3\n[files]\nz = 1\nread = 1\n", source(), Layer::User);
    let lines: Vec<_> = error.expect_err("wrong").problems.iter().map(|problem| problem.origin.line).collect();
    assert_eq!(lines, [1, 3, 5, 6].map(Some));
    let many: String = (0..100).map(|number| format!("unknown{number} = 1\n")).collect();
    let said = refused(&many);
    assert_eq!(said.lines().count(), 21);
    assert!(said.ends_with("and 80 more"), "{said}");
}

#[test]
fn what_is_too_large_or_not_text_is_refused() {
    assert!(refused(&"#".repeat((1 << 20) + 1)).contains("larger than 1024 KiB"));
    let error = Document::parse_bytes(b"# a\n# \xff\n", source(), Layer::User).expect_err("not UTF-8");
    insta::assert_snapshot!(error, @"/w/bailiwick.toml:2: a byte is not UTF-8, which TOML needs; save the file as UTF-8");
}

#[test]
fn options_are_rules_of_the_command_line() {
    let mut options = Document::options();
    options.option_file(FileRuleKind::Read, "a*[1]".as_ref()).expect("literal");
    options.option_file(FileRuleKind::Deny, "*.pem".as_ref()).expect("a glob");
    options.option_allow_host("Example.org:8080").expect("a host");
    options.option_env("CI".as_ref()).expect("a name");
    options.option_env("A=b=c".as_ref()).expect("an assignment");
    options.option_tier("landlock").expect("a tier");
    options.option_accept("reads-confined").expect("a guarantee");
    options.option_timeout("30m").expect("a time");
    options.option_layer();
    options.option_offline();
    let read = options.files.read.iter().flatten().next().expect("a rule");
    assert_eq!((read.glob, read.base, read.origin.to_string()), (false, Base::CurrentDirectory, "--read".into()));
    assert!(options.files.deny.iter().flatten().all(|entry| entry.glob));
    assert_eq!(options.environment.pass.iter().flatten().next().map(|name| &*name.value), Some("CI"));
    let set = options.environment.set.iter().flatten().next().map(|set| set.value.clone());
    assert_eq!(set, Some(("A".into(), "b=c".into())));
    assert_eq!(options.network.offline.as_ref().map(ToString::to_string), Some("--offline".into()));
}

#[cfg(unix)]
#[test]
fn options_take_paths_and_values_in_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes;
    let mut options = Document::options();
    options.option_file(FileRuleKind::Write, bytes(b"/a/\xff")).expect("a path");
    options.option_env(bytes(b"A=\xff")).expect("a value");
    assert_eq!(
        options.files.write.iter().flatten().next().map(|entry| entry.text.as_os_str()),
        Some(bytes(b"/a/\xff"))
    );
    assert!(options.option_env(bytes(b"\xff=a")).is_err());
}

#[test]
fn wrong_options_are_named_as_typed() {
    let mut options = Document::options();
    let said = [
        options.option_file(FileRuleKind::Read, "".as_ref()),
        options.option_file(FileRuleKind::Deny, "a{b}".as_ref()),
        options.option_allow_host("https://example.org"),
        options.option_env("=x".as_ref()),
        options.option_tier("namespace"),
        options.option_accept("everything"),
        options.option_timeout("5\u{1b}[31m"),
    ]
    .map(|result| result.expect_err("wrong").to_string());
    insta::assert_snapshot!(said.join("\n"));
}

mod files {
    use super::super::*;
    use std::fs;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("bailiwick-document-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        path
    }

    #[test]
    fn a_missing_file_is_none_and_a_large_one_is_refused() {
        let folder = scratch("size");
        let file = folder.join("a.toml");
        assert!(matches!(read_file(&file, Keeper::Anybody), Ok(None)));
        fs::write(&file, vec![b'#'; 1 << 20]).expect("written");
        assert_eq!(read_file(&file, Keeper::Anybody).expect("read").map(|bytes| bytes.len()), Some(1 << 20));
        fs::write(&file, vec![b'#'; (1 << 20) + 1]).expect("written");
        assert!(matches!(read_file(&file, Keeper::Anybody), Err(FileError::TooLarge { .. })));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_links_and_directories_are_refused_at_once() {
        let folder = scratch("kinds");
        let (pipe, link, real) = (folder.join("pipe"), folder.join("link"), folder.join("real"));
        let name = std::ffi::CString::new(pipe.to_str().expect("text")).expect("a name");
        // SAFETY: the name is a NUL-terminated string that lives until after the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        fs::write(&real, "x").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        let said = |path: &PathBuf, keeper| {
            read_file(path, keeper).expect_err("refused").to_string().replace(folder.to_str().expect("text"), "/w")
        };
        insta::assert_snapshot!(said(&pipe, Keeper::Anybody), @"reading /w/pipe: it is a pipe, socket or device; put a regular file in its place, or remove it");
        insta::assert_snapshot!(said(&link, Keeper::Anybody), @"reading /w/link: it is a symbolic link; put a regular file in its place, or remove it");
        insta::assert_snapshot!(said(&folder, Keeper::Anybody), @"reading /w: it is a directory; put a regular file in its place, or remove it");
        // The user's own files may be links: people keep them in repositories of their own.
        let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&real).expect("metadata"));
        assert!(matches!(read_file(&link, Keeper::User(uid)), Ok(Some(_))));
        fs::remove_dir_all(folder).expect("removed");
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_may_write_are_not_believed() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = scratch("keepers");
        let file = folder.join("policy.toml");
        fs::write(&file, "").expect("written");
        let about = fs::metadata(&file).expect("metadata");
        let (uid, gid) = (about.uid(), about.gid());
        let believed = |file_mode, folder_mode, keeper| {
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).expect("mode");
            fs::set_permissions(&file, fs::Permissions::from_mode(file_mode)).expect("mode");
            !matches!(read_file(&file, keeper), Err(FileError::Untrustworthy { .. }))
        };
        assert!(believed(0o644, 0o755, Keeper::User(uid)) && believed(0o644, 0o755, Keeper::Only(uid)));
        assert!(!believed(0o646, 0o755, Keeper::User(uid)) && !believed(0o646, 0o755, Keeper::Only(uid)));
        assert!(!believed(0o664, 0o755, Keeper::Only(uid)));
        assert_eq!(believed(0o664, 0o755, Keeper::User(uid)), uid == gid);
        assert!(!believed(0o644, 0o777, Keeper::Only(uid)), "the directory counts too");
        assert!(!believed(0o644, 0o755, Keeper::Only(uid + 1)));
        assert_eq!(believed(0o644, 0o755, Keeper::User(uid + 1)), uid == 0);
        assert!(believed(0o666, 0o755, Keeper::Anybody));
        fs::remove_dir_all(folder).expect("removed");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_or_speak_in_control_characters(text in prop_oneof![
        "\\PC{0,200}",
        "[\\[\\]a-z=\"'\\n{},.*\\x00-\\x1f]{0,120}",
        "(\\[(files|network|limits)\\]\n)?(read|deny|time|allow|extends) = (\\[?['\"][\\x01-\\x7f]{0,20}['\"]\\]?|[0-9]{0,30})",
    ]) {
        if let Err(error) = Document::parse(&text, source(), Layer::Project) {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(!problem.to_string().contains(char::is_control), "{problem:?}");
            }
        }
    }

    #[test]
    fn every_item_has_the_line_it_stands_in(items in prop::collection::vec(("[a-z]{1,8}", 0..3usize, any::<bool>()), 1..20)) {
        let mut text = String::from("[files]\nread = [");
        let mut wanted = Vec::new();
        for (name, blank, crlf) in items {
            let end = if crlf { "\r\n" } else { "\n" };
            text.push_str(&end.repeat(blank));
            wanted.push((name.clone(), u32::try_from(1 + text.matches('\n').count()).expect("few")));
            text.push_str(&format!("'{name}', # ]{end}"));
        }
        text.push(']');
        let found: Vec<_> = parse(&text).files.read.into_iter().flatten()
            .map(|entry| (entry.text.into_string().expect("text"), entry.origin.line.expect("a line"))).collect();
        prop_assert_eq!(found, wanted);
    }
}
