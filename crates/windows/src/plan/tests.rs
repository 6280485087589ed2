//! Plans to read, one for each machine and tier, and single decisions.

mod held;

use super::*;
use crate::facts::tests::{MACHINES, machine};
use crate::target::tests::target;

const NETWORK: &str = "[network]\nallow = [\"github.com\"]\n[limits]\nprocesses = 512\ntime = \"30m\"\n";

fn text(name: &str, tier: Tier) -> String {
    let (facts, target) = target(name, tier, NETWORK).unwrap_or_else(|error| panic!("{name}: {error}"));
    match Plan::new(&target, &facts) {
        Ok(plan) => format!("{}\n\n{plan}", facts.system),
        Err(error) => format!("{}\n\nrefused: {error}\n", facts.system),
    }
}

#[test]
fn every_machine_has_its_plans() {
    for (name, ..) in MACHINES {
        for tier in Tier::ALL {
            insta::assert_snapshot!(format!("{name}-{tier}"), text(name, tier));
        }
    }
}

fn refusal(name: &str, tier: Tier, user: &str, change: impl FnOnce(&mut Facts)) -> PlanError {
    let (mut facts, target) = target(name, tier, user).unwrap_or_else(|error| panic!("{error}"));
    change(&mut facts);
    Plan::new(&target, &facts).expect_err("it must be refused")
}

#[test]
fn what_a_tier_cannot_do_is_refused() {
    let nothing = |_: &mut Facts| {};
    let write = |path: &str| format!("[files]\nwrite = [\"{path}\"]");
    let shown = |error: PlanError| error.to_string();
    insta::assert_snapshot!(shown(refusal("several-drives", Tier::Guard, &write("E:/backup"), nothing)), @r"`E:\backup` is on a drive with exFAT, whose files have no access lists to confine anybody by: move it to a drive with NTFS or ReFS");
    insta::assert_snapshot!(shown(refusal("several-drives", Tier::Guard, &write("Z:/shared"), nothing)), @r"`Z:\shared` is on another machine, which decides by itself who may do what: work on a copy on a local drive");
    insta::assert_snapshot!(shown(refusal("several-drives", Tier::Guard, &write("D:/"), nothing)), @r"the policy grants `D:\`, which is a whole drive or a place of the system's: name the directories that are needed");
    let system = refusal("domain-user", Tier::Account, &write("C:/Windows"), nothing);
    assert!(matches!(system, PlanError::TooBroad { .. }), "{system}");
    insta::assert_snapshot!(shown(refusal("domain-user", Tier::Guard, "", |facts| facts.user.elevated = true)), @"this shell is elevated, and the guard tier confines the caller's own token: start from an ordinary shell");
    insta::assert_snapshot!(shown(refusal("home-edition", Tier::Account, "", nothing)), @"bailiwick has no account on this machine: `bailiwick setup`, once, with an administrator's consent");
    insta::assert_snapshot!(
        shown(refusal("domain-user", Tier::Account, "", |facts| facts.network.filtering_engine = false)), @"the filtering engine (service BFE) does not run, so nothing would stop packets: start it");
    insta::assert_snapshot!(shown(refusal("onedrive-folder", Tier::Account, "", nothing)), @r"`C:\Users\mia\OneDrive\code\thesis` is kept by OneDrive (`C:\Users\mia\OneDrive`): files that are not on the disk are fetched by the user's own session and cannot be fetched in the account tier. Move the project out of that directory");
    insta::assert_snapshot!(shown(refusal("pnpm-store", Tier::Container, "", nothing)), @r"2 files in a writable place are also known by other names outside of it (`C:\work\shop\node_modules\.pnpm\left-pad@1.3.0\node_modules\left-pad\index.js` is `C:\Users\ivo\AppData\Local\pnpm\store\v10\files\4f\9a21`), and both share one access list: letting the inside in here would let it in there. For pnpm set `package-import-method=copy` and install again");
    let taken = |facts: &mut Facts| {
        let elsewhere = WindowsPath::parse(r"C:\elsewhere").unwrap();
        facts.setup.as_mut().unwrap().accounts.retain_mut(|account| {
            account.workspace = Some(elsewhere.clone());
            account.name == "bailiwick-01"
        });
    };
    insta::assert_snapshot!(shown(refusal("domain-user", Tier::Account, "", taken)), @"every account (1) serves another workspace: let one go with `bailiwick setup --repair`, or make more");
    insta::assert_snapshot!(
        shown(refusal("domain-user", Tier::Container, "", |facts| facts.features.app_container = false)), @"AppContainers cannot be made on this machine");
    let layer = "[workspace]\nmode = \"layer\"";
    insta::assert_snapshot!(shown(refusal("domain-user", Tier::Guard, layer, nothing)), @r#"the policy asks for `[workspace] mode = "layer"`, which the Windows tiers do not offer yet: nothing would keep the changes apart"#);
    insta::assert_snapshot!(shown(refusal("domain-user", Tier::Guard, &write("C:/ProgramData"), nothing)), @r"the access list of `C:\ProgramData` may be changed by an administrator only, and the guard tier does without one: work in a directory of your own");
}

#[test]
fn the_restricting_list_never_holds_what_would_void_it() {
    for (name, ..) in MACHINES {
        let (facts, target) = target(name, Tier::Guard, "").unwrap();
        let plan = Plan::new(&target, &facts).unwrap();
        let restricting = plan.token.restricting.clone().unwrap();
        let never = [
            facts.user.sid,
            Sid::USERS,
            Sid::AUTHENTICATED_USERS,
            Sid::INTERACTIVE,
            Sid::BATCH,
            Sid::ADMINISTRATORS,
            Sid::SYSTEM,
        ];
        assert!(never.iter().all(|sid| !restricting.contains(sid)), "{name}");
        assert!(plan.token.write_restricted && plan.token.privileges == ["SeChangeNotifyPrivilege"], "{name}");
    }
}

#[test]
fn sids_of_places_differ_by_user_and_place_and_not_by_case() {
    let (facts, workspace) = machine("domain-user");
    let (other, _) = machine("home-edition");
    let sid = |facts: &Facts, text: &str| crate::target::workspace_sid(facts, &WindowsPath::parse(text).unwrap());
    assert_eq!(sid(&facts, r"c:\SRC\Billing"), crate::target::workspace_sid(&facts, &workspace));
    assert_ne!(sid(&facts, r"C:\src\billing2"), crate::target::workspace_sid(&facts, &workspace));
    assert_ne!(sid(&other, r"C:\src\billing"), crate::target::workspace_sid(&facts, &workspace));
    assert!(sid(&facts, r"C:\src").is_capability());
}

#[test]
fn an_account_keeps_its_workspace() {
    let (mut facts, workspace) = machine("domain-user");
    let second = facts.setup.as_ref().unwrap().accounts[1].clone();
    facts.setup.as_mut().unwrap().accounts[1].workspace = Some(workspace.clone());
    assert_eq!(crate::target::account_for(&facts, &workspace).map(|account| account.sid), Some(second.sid));
}

#[test]
fn every_packet_of_the_account_is_blocked_but_those_to_the_gate() {
    use network::{Action, Layer};
    let (facts, target) = target("domain-user", Tier::Account, "").unwrap();
    let plan = Plan::new(&target, &facts).unwrap();
    let filters = &plan.network.filters;
    for layer in Layer::ALL {
        let blocks = filters.iter().filter(|filter| filter.layer == layer && filter.action == Action::Block);
        assert_eq!(blocks.filter(|filter| filter.only.is_none()).count(), 1, "{layer:?}");
    }
    let permits: Vec<_> = filters.iter().filter(|filter| filter.action == Action::Permit).collect();
    assert!(permits.iter().all(|filter| filter.only.is_some_and(|only| only.port == 47101)));
    assert!(
        permits
            .iter()
            .all(|permit| filters.iter().any(|block| block.action == Action::Block && block.weight < permit.weight))
    );
    assert!(filters.iter().all(|filter| filter.account == plan.identity.sid()));
    assert_eq!(plan.network.gate, Gate::Loopback { port: 47101, open: false });
}

#[test]
fn a_plan_is_plain_data() {
    fn is_data<T: serde::Serialize + Clone + PartialEq + Send + Sync>(_: &T) {}
    let (facts, target) = target("domain-user", Tier::Account, "").unwrap();
    let plan = Plan::new(&target, &facts).unwrap();
    is_data(&plan);
    assert_eq!(plan, Plan::new(&target, &facts).unwrap());
}

#[test]
fn only_an_administrator_touches_what_is_not_the_users() {
    for (name, ..) in MACHINES {
        for tier in [Tier::Guard, Tier::Container] {
            let (facts, target) = target(name, tier, "").unwrap();
            let Ok(plan) = Plan::new(&target, &facts) else { continue };
            for stamp in &plan.stamps {
                assert_eq!(stamp.writer, Writer::User, "{name} {tier}: {}", stamp.path.shown());
                assert!(facts.user.profile.covers(&stamp.path) || !stamp.path.is_root(), "{}", stamp.path.shown());
            }
        }
    }
}
