//! What the document of a workspace may do before anybody has trusted it.

use proptest::prelude::*;

use super::*;

/// Any document: a few entries for each key, or none.
fn any_document() -> impl Strategy<Value = String> {
    let paths =
        || prop::collection::vec(prop::sample::select(vec!["/", "~", ".", "/etc", ".env", "a/b", "../x"]), 0..4);
    let hosts = || prop::collection::vec(prop::sample::select(vec!["*", "a.test", "**.b.test:22", "192.0.2.1"]), 0..4);
    let rules = || {
        let rules = vec![
            "'*'",
            "'a.test'",
            "'**.b.test:22'",
            "'10.0.0.0/8:22'",
            "'GET a.test:80/v1/**'",
            "{ host = 'GET a.test/v1/**', inspect = true }",
            "{ host = '*.b.test:22', opaque = true }",
            "{ host = 'a.test', addresses = ['10.1.0.0/16', '192.0.2.1'] }",
            "{ host = '*', inspect = true, addresses = ['10.0.0.0/8'] }",
        ];
        let rules = prop::collection::vec(prop::sample::select(rules), 0..4);
        rules.prop_map(|rules| format!("[{}]", rules.join(", "))).boxed()
    };
    let credentials =
        || Just("[{ host = 'a.test', header = 'x-key', from = { command = ['evil'] } }]".to_owned()).boxed();
    let list = |items: &[&str]| items.iter().map(|item| format!("'{item}'")).collect::<Vec<_>>().join(", ");
    let maybe = |key: &'static str, value: BoxedStrategy<String>| {
        prop_oneof![Just(String::new()), value.prop_map(move |value| format!("{key} = {value}\n"))]
    };
    let path_list = move || paths().prop_map(move |items| format!("[{}]", list(&items))).boxed();
    let host_list = move || hosts().prop_map(move |items| format!("[{}]", list(&items))).boxed();
    let number = || (1..2000u64).prop_map(|number| number.to_string()).boxed();
    let flag = || any::<bool>().prop_map(|flag| flag.to_string()).boxed();
    let files = (
        maybe("read", path_list()),
        maybe("write", path_list()),
        maybe("deny", path_list()),
        maybe("protect", path_list()),
        maybe("search_limit", number()),
    );
    let network = (
        maybe("allow", rules()),
        maybe("deny", host_list()),
        maybe("sockets", path_list()),
        maybe("credential", credentials()),
    );
    let environment = (
        maybe("pass", Just("['*', 'TOKEN']".to_owned()).boxed()),
        maybe("set", Just("{ PATH = 'evil', LD_PRELOAD = 'x' }".to_owned()).boxed()),
    );
    let limits = (
        maybe("time", (1..90u64).prop_map(|minutes| format!("'{minutes}m'")).boxed()),
        maybe("memory", number()),
        maybe("processes", number()),
        maybe("file_size", number()),
        maybe("open_files", number()),
    );
    let rest = (
        maybe("extends", Just("['read-only']".to_owned()).boxed()),
        maybe("mode", prop::sample::select(vec!["'direct'", "'layer'"]).prop_map(str::to_owned).boxed()),
        maybe("tier", prop::sample::select(vec!["'auto'", "'landlock'"]).prop_map(str::to_owned).boxed()),
        maybe("accept", Just("['reads-confined', 'network-off']".to_owned()).boxed()),
        maybe("trace", flag()),
        maybe("nested_namespaces", flag()),
    );
    (files, network, environment, limits, rest).prop_map(|(files, network, environment, limits, rest)| {
        format!(
            "{}[files]\n{}{}{}{}{}[network]\n{}{}{}{}[environment]\n{}{}[limits]\n{}{}{}{}{}[workspace]\n{}[isolation]\n{}{}{}{}",
            rest.0, files.0, files.1, files.2, files.3, files.4, network.0, network.1, network.2, network.3, environment.0, environment.1,
            limits.0, limits.1, limits.2, limits.3, limits.4, rest.1, rest.2, rest.3, rest.4, rest.5
        )
    })
}

fn layers(user: &str, project: Option<&str>) -> Layers {
    let project = project.map(|text| Project { document: document(Layer::Project, text), trusted: false });
    let mut options = Document::options();
    options.option_allow_host("option.test").expect("a host");
    Layers { user: Some(document(Layer::User, user)), project, options, ..nothing() }
}

/// Is limit `a` at least as tight as `b`?
fn within<T: PartialOrd>(a: &Option<crate::policy::Ruled<T>>, b: &Option<crate::policy::Ruled<T>>) -> bool {
    match (a, b) {
        (_, None) => true,
        (Some(a), Some(b)) => a.value <= b.value,
        (None, Some(_)) => false,
    }
}

proptest! {
    #[test]
    fn an_untrusted_document_widens_nothing(user in any_document(), project in any_document()) {
        let with = layers(&user, Some(&project)).merge();
        let without = layers(&user, None).merge();
        let grants = |policy: &Policy| -> Vec<_> {
            policy.files.iter().filter(|entry| matches!(entry.kind, FileRuleKind::Read | FileRuleKind::Write)).cloned().collect()
        };
        prop_assert_eq!(grants(&with), grants(&without));
        prop_assert_eq!(&with.network.allow, &without.network.allow);
        prop_assert_eq!(&with.network.sockets, &without.network.sockets);
        prop_assert_eq!(&with.network.credentials, &without.network.credentials);
        prop_assert_eq!(&with.environment, &without.environment);
        prop_assert_eq!(&with.isolation, &without.isolation);
        prop_assert_eq!(&with.workspace_mode, &without.workspace_mode);
        prop_assert_eq!(&with.search_limit, &without.search_limit);
        // What the other layers forbid is still forbidden.
        prop_assert!(without.files.iter().all(|entry| with.files.contains(entry)));
        prop_assert!(without.network.deny.iter().all(|rule| with.network.deny.contains(rule)));
        let (a, b) = (&with.limits, &without.limits);
        prop_assert!(within(&a.time, &b.time) && within(&a.memory, &b.memory) && within(&a.processes, &b.processes));
        prop_assert!(within(&a.file_size, &b.file_size) && within(&a.open_files, &b.open_files));
    }

    #[test]
    fn a_trusted_document_brings_no_credentials(user in any_document(), project in any_document()) {
        let without = layers(&user, None).merge();
        let mut trusted = layers(&user, Some(&project));
        trusted.project.as_mut().expect("a project").trusted = true;
        let with = trusted.merge();
        prop_assert_eq!(&with.network.credentials, &without.network.credentials);
        let said = with.notices.iter().filter(|notice| notice.kind == crate::policy::NoticeKind::IgnoredProject).count();
        prop_assert_eq!(said, usize::from(project.contains("credential = ")));
    }

    #[test]
    fn the_cut_changes_no_decision_and_the_ceiling_holds(
        administrator in any_document(), user in any_document(),
        host in prop::sample::select(vec!["a.test", "x.b.test", "b.test", "10.1.2.3"]), port in prop::sample::select(vec![80u16, 443, 22]),
    ) {
        use crate::boundary::Network;
        let administrator = administrator.replace("extends = ['read-only']\n", "").replace("set = { PATH = 'evil', LD_PRELOAD = 'x' }\n", "");
        let policy = under(&administrator, &user);
        let ceiling = policy.ceiling.expect("a ceiling");
        let cut = Network { allow: policy.network.allow, ceiling: ceiling.allow.clone(), ..Network::default() };
        let allow = document(Layer::User, &user).network.allow.unwrap_or_default();
        let whole = Network { allow, ceiling: ceiling.allow.clone(), ..Network::default() };
        let most = ceiling.allow.map(|allow| Network { allow, ..Network::default() });
        let yes = |decision: crate::decide::Decision| decision.verdict == crate::decide::Verdict::Allowed;
        prop_assert_eq!(yes(cut.connect(host, port)), yes(whole.connect(host, port)));
        prop_assert!(!yes(cut.connect(host, port)) || most.as_ref().is_none_or(|most| yes(most.connect(host, port))));
        for (method, path) in [("GET", "/v1/a"), ("GET", "/"), ("PUT", "/v1/a")] {
            let may = |network: &Network| yes(network.request(host, port, method, path));
            prop_assert_eq!(may(&cut), may(&whole));
            prop_assert!(!may(&cut) || most.as_ref().is_none_or(may));
        }
        if yes(cut.connect(host, port)) {
            prop_assert_eq!(cut.handling(host, port), whole.handling(host, port));
        }
        for address in ["10.1.2.3", "10.2.2.3", "192.0.2.1"] {
            let address = address.parse().expect("an address");
            // A rule about addresses that the ceiling drops as a host no longer lists them for names either.
            prop_assert!(!cut.lists_address(host, port, address) || whole.lists_address(host, port, address));
        }
    }

    #[test]
    fn what_narrows_takes_effect(user in any_document(), project in any_document()) {
        let own = document(Layer::Project, &project);
        let with = layers(&user, Some(&project)).merge();
        for list in [own.files.deny, own.files.protect] {
            prop_assert!(list.into_iter().flatten().all(|entry| with.files.contains(&entry)));
        }
        prop_assert!(own.network.deny.into_iter().flatten().all(|rule| with.network.deny.contains(&rule)));
        prop_assert!(within(&with.limits.time, &own.limits.time) && within(&with.limits.processes, &own.limits.processes));
    }

    #[test]
    fn a_ceiling_is_never_passed(administrator in any_document(), user in any_document()) {
        let administrator = administrator.replace("extends = ['read-only']\n", "").replace("set = { PATH = 'evil', LD_PRELOAD = 'x' }\n", "");
        let policy = under(&administrator, &user);
        let most = document(Layer::Administrator, &administrator);
        if let Some(most) = &most.network.allow {
            prop_assert!(policy.network.allow.iter().all(|rule| most.iter().any(|allowed| allowed.value.pattern.overlaps(&rule.value.pattern))));
        }
        if let Some(most) = &most.isolation.accept {
            prop_assert!(policy.isolation.accept.iter().all(|loss| most.iter().any(|allowed| allowed.value == loss.value)));
        }
        prop_assert!(within(&policy.limits.time, &most.limits.time) && within(&policy.limits.memory, &most.limits.memory));
        prop_assert!(within(&policy.limits.open_files, &most.limits.open_files));
    }
}

#[test]
fn what_is_ignored_is_said_once_for_each_key_with_its_line() {
    let project = "extends = ['workspace']
[files]
read = [
  '/',
  '~' ]
write = ['~']
deny = ['.secret']
search_limit = 5
[network]
allow = ['*']
sockets = ['/run/docker.sock']
credential = [{ host = 'a.test', header = 'x-key', from = { command = ['evil'] } }]
[environment]
pass = ['*']
set = { A = '1', B = '2' }
[limits]
time = '2h'
processes = 5
[workspace]
mode = 'layer'
[isolation]
tier = 'landlock'
accept = ['network-off']
trace = true
nested_namespaces = true
";
    let policy = layers("[limits]\ntime = '1h'", Some(project)).merge();
    insta::assert_snapshot!(said(&policy));
    assert_eq!(policy.limits.processes.as_ref().map(|limit| limit.value), Some(5));
    assert_eq!(policy.limits.time.as_ref().map(|limit| limit.value.as_secs()), Some(3600));
}
