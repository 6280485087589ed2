use std::ffi::OsStr;

use super::*;
use crate::builtin::Builtin;
use crate::guarantee::Guarantee;
use crate::origin::{Layer, Source};
use crate::policy::{FileRuleKind, Notice, TierChoice, WorkspaceMode};

mod disk;
mod narrowing;

/// A document of a layer, as a file of that layer's name.
fn document(layer: Layer, text: &str) -> Document {
    let source = Source::File(format!("/{layer:?}.toml").into());
    Document::parse(text, source, layer).unwrap_or_else(|error| panic!("{error}"))
}

fn nothing() -> Layers {
    Layers {
        base: Vec::new(),
        user: None,
        project: None,
        options: Document::options(),
        administrator: None,
        documents: Vec::new(),
    }
}

fn under(administrator: &str, user: &str) -> Policy {
    Layers {
        user: Some(document(Layer::User, user)),
        administrator: Some(document(Layer::Administrator, administrator)),
        ..nothing()
    }
    .merge()
}

fn said(policy: &Policy) -> String {
    let line = |notice: &Notice| {
        let origin = notice.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{:?} {origin}: {}", notice.kind, notice.text)
    };
    policy.notices.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn lists_add_up_in_order_and_of_single_values_the_last_one_wins() {
    let user = "[files]\nread = ['/user']\nsearch_limit = 1\n[limits]\ntime = '1h'\nprocesses = 9\n[isolation]\ntrace = true\n[environment]\nset = { A = 'user' }";
    let project = "[files]\nread = ['/project']\n[limits]\ntime = '2h'\n[isolation]\ntier = 'landlock'\n[workspace]\nmode = 'layer'\n[environment]\nset = { A = 'project' }";
    let mut options = Document::options();
    options.option_file(FileRuleKind::Read, OsStr::new("/option")).expect("a path");
    options.option_timeout("3h").expect("a time");
    let policy = Layers {
        base: vec![document(Layer::BuiltIn, "[files]\nread = ['/base']\n[isolation]\ntrace = false")],
        user: Some(document(Layer::User, user)),
        project: Some(Project { document: document(Layer::Project, project), trusted: true }),
        options,
        ..nothing()
    }
    .merge();
    let read: Vec<_> = policy.files.iter().map(|entry| entry.text.to_str().expect("text")).collect();
    assert_eq!(read, ["/base", "/user", "/project", "/option"]);
    assert_eq!(policy.limits.time.as_ref().map(|time| time.value.as_secs()), Some(3 * 3600));
    assert_eq!(policy.limits.processes.as_ref().map(|limit| limit.value), Some(9));
    assert_eq!(policy.search_limit.as_ref().map(|limit| limit.value), Some(1));
    assert_eq!(policy.isolation.trace.as_ref().map(|trace| trace.value), Some(true));
    assert_eq!(policy.isolation.tier.as_ref().map(|tier| tier.value), Some(TierChoice::Landlock));
    assert_eq!(policy.workspace_mode.as_ref().map(|mode| mode.value), Some(WorkspaceMode::Layer));
    let set: Vec<_> = policy.environment.set.iter().map(|set| set.value.1.to_str().expect("text")).collect();
    assert_eq!(set, ["user", "project"], "later ones win");
    assert_eq!(said(&policy), "");
}

#[test]
fn offline_drops_every_allowed_host_and_keeps_what_is_denied() {
    let mut options = Document::options();
    options.option_allow_host("option.test").expect("a host");
    options.option_offline();
    let user = document(Layer::User, "[network]\nallow = ['user.test', '*']\ndeny = ['no.test']");
    let policy = Layers { user: Some(user), options, ..nothing() }.merge();
    assert!(policy.network.allow.is_empty());
    assert_eq!(policy.network.deny.len(), 1);
    assert_eq!(said(&policy), "", "nothing is open, so nothing is said of it");
}

#[test]
fn an_open_network_is_said() {
    let policy = Layers { user: Some(document(Layer::User, "[network]\nallow = ['*']")), ..nothing() }.merge();
    insta::assert_snapshot!(said(&policy), @"NetworkOpen /User.toml:2: `*` opens the network: the inside may send whatever it can read to anybody");
}

#[test]
fn the_ceiling_cuts_what_it_can_compare_and_says_so() {
    let administrator = "
[files]
search_limit = 50
[network]
allow = ['**.corp.test', 'one.test:443', 'two.test:80', 'two.test:443']
[environment]
pass = ['LC_*', 'PATH']
[limits]
time = '1h'
memory = '1GiB'
[workspace]
mode = 'layer'
[isolation]
tier = 'namespaces'
accept = ['reads-confined']
trace = false
nested_namespaces = false
";
    let user = "
[files]
search_limit = 100
[network]
allow = ['a.corp.test:22', 'a.corp.test', 'one.test', 'two.test', 'evil.test', '*']
[environment]
pass = ['LC_ALL', 'L*', 'TOKEN', 'PATH', '*H']
[limits]
time = '2h'
memory = '512MiB'
[workspace]
mode = 'direct'
[isolation]
tier = 'landlock'
accept = ['reads-confined', 'network-off']
trace = true
";
    let policy = under(administrator, user);
    insta::assert_snapshot!(said(&policy));
    let hosts: Vec<_> = policy.network.allow.iter().map(|rule| rule.value.to_string()).collect();
    assert_eq!(hosts, ["a.corp.test", "one.test", "two.test", "*"]);
    let pass: Vec<_> = policy.environment.pass.iter().map(|rule| &*rule.value).collect();
    assert_eq!(pass, ["LC_ALL", "LC_*", "PATH", "PATH"]);
    assert_eq!(policy.limits.time.as_ref().map(|time| time.value.as_secs()), Some(3600));
    assert_eq!(policy.limits.memory.as_ref().map(|memory| memory.value), Some(512 << 20));
    assert_eq!(policy.workspace_mode.as_ref().map(|mode| mode.value), Some(WorkspaceMode::Layer));
    assert_eq!(policy.isolation.tier.as_ref().map(|tier| tier.value), Some(TierChoice::Namespaces));
    assert_eq!(policy.isolation.trace.as_ref().map(|trace| trace.value), Some(false));
    assert_eq!(policy.isolation.nested_namespaces.as_ref().map(|nested| nested.value), Some(false));
    let accept: Vec<_> = policy.isolation.accept.iter().map(|loss| loss.value).collect();
    assert_eq!(accept, [Guarantee::ReadsConfined]);
    assert_eq!(policy.search_limit.as_ref().map(|limit| limit.value), Some(50));
}

#[test]
fn a_ceiling_that_says_nothing_caps_nothing() {
    let user = "[files]\nwrite = ['/w']\n[network]\nallow = ['a.test']\n[isolation]\ntier = 'landlock'\ntrace = true\naccept = ['network-off']";
    let policy = under("[isolation]\ntier = 'auto'\ntrace = true\n[workspace]\nmode = 'direct'", user);
    let ceiling = policy.ceiling.as_ref().expect("a ceiling");
    assert_eq!(ceiling, &crate::policy::Ceiling::default());
    assert_eq!(said(&policy), "");
    assert_eq!(policy.isolation.tier.as_ref().map(|tier| tier.value), Some(TierChoice::Landlock));
    assert_eq!(policy.isolation.trace.as_ref().map(|trace| trace.value), Some(true));
    assert_eq!(policy.workspace_mode, None);
}

#[test]
fn an_empty_list_of_a_ceiling_allows_nothing() {
    let administrator = "[files]\nread = []\nwrite = []\n[network]\nallow = []\nsockets = []\n[environment]\npass = []\n[isolation]\naccept = []";
    let policy = under(
        administrator,
        "[network]\nallow = ['a.test']\n[environment]\npass = ['A']\n[isolation]\naccept = ['network-off']",
    );
    assert!(
        policy.network.allow.is_empty() && policy.environment.pass.is_empty() && policy.isolation.accept.is_empty()
    );
    let ceiling = policy.ceiling.expect("a ceiling");
    assert_eq!((ceiling.read, ceiling.write, ceiling.sockets), (Some(vec![]), Some(vec![]), Some(vec![])));
    assert_eq!(policy.notices.len(), 3);
}

#[test]
fn an_upper_bound_is_a_limit_where_nobody_else_sets_one() {
    let policy = under("[limits]\nprocesses = 100\n[files]\nsearch_limit = 1000000", "");
    assert_eq!(
        policy.limits.processes.map(|limit| (limit.value, limit.origin.layer)),
        Some((100, Layer::Administrator))
    );
    assert_eq!(policy.search_limit, None, "a bound above the default does not raise the default");
}

#[test]
fn readable_under_a_ceiling_is_also_what_is_writable() {
    let ceiling = under("[files]\nread = ['/usr']\nwrite = ['/work']\ndeny = ['/a']\nprotect = ['/b']", "")
        .ceiling
        .expect("a ceiling");
    let texts = |list: &[crate::policy::FileEntry]| {
        list.iter().map(|entry| entry.text.clone().into_string().expect("text")).collect::<Vec<_>>()
    };
    assert_eq!(ceiling.read.as_deref().map(texts), Some(vec!["/usr".into(), "/work".into()]));
    assert_eq!(ceiling.write.as_deref().map(texts), Some(vec!["/work".into()]));
    assert_eq!(texts(&ceiling.files), ["/a", "/b"]);
}

#[test]
fn the_built_in_layers_alone_make_the_default_policy() {
    let base = ["system", "toolchains", "workspace"]
        .map(|name| Builtin::named(name).expect("built in").document().expect("understood"));
    let policy = Layers { base: base.into(), ..nothing() }.merge();
    let write: Vec<_> = policy
        .files
        .iter()
        .filter(|entry| entry.kind == FileRuleKind::Write)
        .map(|entry| entry.text.as_os_str())
        .collect();
    assert_eq!(write, ["."]);
    assert!(policy.network.allow.is_empty() && policy.network.sockets.is_empty() && policy.environment.set.is_empty());
    assert_eq!((policy.ceiling, policy.notices), (None, vec![]));
}

#[test]
fn the_ceiling_says_what_it_takes_from_a_rule() {
    let administrator = "[network]
allow = [
  '*.plain.test',
  { host = 'GET,HEAD read.test/v1/**', inspect = true },
  { host = 'opaque.test:22', opaque = true },
  { host = 'db.test:5432', addresses = ['10.1.0.0/16'] } ]";
    let user = "[network]
allow = [
  { host = 'a.plain.test', opaque = true },
  'read.test',
  { host = 'opaque.test:22', opaque = true },
  { host = 'db.test:5432', addresses = ['10.0.0.0/8', '10.1.1.0/24', '192.0.2.1'] },
  { host = 'a.plain.test', addresses = ['192.0.2.1'] } ]";
    let policy = under(administrator, user);
    insta::assert_snapshot!(said(&policy));
    let rules: Vec<_> = policy.network.allow.iter().map(|rule| rule.value.to_string()).collect();
    assert_eq!(
        rules,
        [
            "a.plain.test",
            "read.test",
            "{ host = \"opaque.test:22\", opaque = true }",
            "{ host = \"db.test:5432\", addresses = [\"10.1.1.0/24\", \"10.0.0.0/8\"] }",
            "a.plain.test",
        ]
    );
}

#[test]
fn what_is_read_and_what_is_not_looked_at_is_said() {
    let user = "[network]
allow = [
  { host = 'GET api.test/v1/**', inspect = true },
  { host = 'pinned.test', opaque = true },
  { host = 'git.test:9418', opaque = true },
  '0.0.0.0/0:443' ]";
    let policy = Layers { user: Some(document(Layer::User, user)), ..nothing() }.merge();
    insta::assert_snapshot!(said(&policy));
}

#[test]
fn a_credential_needs_its_host_inspected_wherever_it_is_allowed() {
    let with = |allow: &str, administrator: Option<&str>| {
        let user = format!(
            "[network]\nallow = [{allow}]\ncredential = [{{ host = '**.a.test', header = 'x', from = {{ env = 'T' }} }}]"
        );
        let administrator = administrator.map(|text| document(Layer::Administrator, text));
        super::network::check(&Layers { user: Some(document(Layer::User, &user)), administrator, ..nothing() }.merge())
    };
    for fine in [
        "",
        "'b.test'",
        "'a.test:80', 'a.test:8443'",
        "{ host = '**.a.test', inspect = true }",
        "{ host = 'x.a.test', inspect = true }, 'x.a.test'",
        "{ host = 'GET x.a.test/v1/**', inspect = true }",
        "'*', { host = '**.a.test:443', inspect = true }",
    ] {
        assert!(with(fine, None).is_ok(), "{fine}");
    }
    for blind in [
        "'a.test'",
        "'*'",
        "{ host = 'x.a.test', inspect = true }, 'a.test'",
        "{ host = '*.a.test', inspect = true }, '**.a.test'",
    ] {
        assert!(with(blind, None).is_err(), "{blind}");
    }
    assert!(with("'a.test'", Some("[network]\nallow = [{ host = '**.a.test', inspect = true }]")).is_ok());
    assert!(with("'a.test'", Some("[network]\nallow = []")).is_ok(), "what the ceiling drops is not allowed");
    let error = with("'a.test'", None).expect_err("blind").to_string();
    insta::assert_snapshot!(error, @r#"/User.toml:3: the credential for `**.a.test` cannot be put in, because the rule `a.test` (/User.toml:2) leaves the traffic unread; write `{ host = "**.a.test", inspect = true }` into `[network] allow`, or take the credential out"#);
}

#[test]
fn of_two_credentials_the_administrators_counts() {
    let credential =
        |source: &str| format!("credential = [{{ host = 'a.test', header = 'x', from = {{ env = '{source}' }} }}]");
    let user = format!("[network]\nallow = [{{ host = 'a.test', inspect = true }}]\n{}", credential("MINE"));
    let policy = under(&format!("[network]\n{}", credential("THEIRS")), &user);
    let network = crate::boundary::Network { credentials: policy.network.credentials, ..Default::default() };
    let from: Vec<_> = network.credentials_for("a.test", 443).map(|one| one.origin.layer).collect();
    assert_eq!(from, [Layer::Administrator]);
}
