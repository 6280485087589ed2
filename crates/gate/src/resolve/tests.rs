use std::cell::Cell;

use super::testing::{address, addresses, alias, reply, run, serve};
use super::*;
use crate::dns::message::{Data, Message, Name, Record, code, flag, kind};

/// A resolver whose servers are these addresses, all at this port.
fn resolver(conf: &str, port: u16) -> Resolver {
    Resolver { port, ..Resolver::from_host(conf, "192.0.2.50 listed.example\n") }
}

const ONE: &str = "nameserver 127.0.0.1\noptions attempts:1 timeout:20";

async fn found(resolver: &Resolver, name: &str) -> Vec<String> {
    let mut found: Vec<_> = resolver.resolve(name).await.unwrap().iter().map(ToString::to_string).collect();
    found.sort();
    found
}

#[test]
fn both_families_are_asked_and_the_answer_is_kept() {
    run(async {
        let (server, log) =
            serve("127.0.0.1:0", |query, _| vec![addresses(query, &["192.0.2.1", "192.0.2.2", "2001:db8::1"])]).await;
        let resolver = resolver(ONE, server.port());
        for name in ["a.example", "A.Example."] {
            assert_eq!(found(&resolver, name).await, ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
        }
        let mut asked = log.borrow().clone();
        asked.sort();
        assert_eq!(asked, [("a.example".to_owned(), kind::A, false), ("a.example".to_owned(), kind::AAAA, false)]);
    });
}

#[test]
fn what_is_no_name_or_known_without_asking_is_never_asked() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, _| vec![addresses(query, &["192.0.2.1"])]).await;
        let resolver = resolver(ONE, server.port());
        for strange in ["192.0.2.7", "::1", "", "a b", "0x7f.1", "x%00.example", "a..b"] {
            assert_eq!(resolver.resolve(strange).await, Err(ResolveError::NotAName), "{strange}");
        }
        assert_eq!(found(&resolver, "localhost").await, ["127.0.0.1", "::1"]);
        assert_eq!(found(&resolver, "x.localhost").await, ["127.0.0.1", "::1"]);
        assert_eq!(found(&resolver, "listed.example").await, ["192.0.2.50"]);
        assert_eq!(resolver.resolve("x.onion").await, Err(ResolveError::NoSuchName));
        assert!(log.borrow().is_empty());
    });
}

#[test]
fn forged_answers_before_the_true_one_are_passed_over() {
    run(async {
        let (server, _) = serve("127.0.0.1:0", |query, _| {
            let forged = |change: &dyn Fn(&mut Message)| {
                let owner = query.question.name.clone();
                let mut message = reply(query, 0, vec![address(owner, "203.0.113.66", 300)]);
                change(&mut message);
                message.write()
            };
            let other = || Name::from_host("other.example").unwrap();
            vec![
                forged(&|message| message.id ^= 1),
                forged(&|message| message.flags &= !flag::RESPONSE),
                forged(&|message| message.question.name = other()),
                forged(&|message| message.question.kind = 99),
                forged(&|_| {})[..20].to_vec(),
                b"nonsense".to_vec(),
                addresses(query, &["192.0.2.1"]),
            ]
        })
        .await;
        assert_eq!(found(&resolver(ONE, server.port()), "a.example").await, ["192.0.2.1"]);
    });
}

#[test]
fn noise_alone_ends() {
    run(async {
        let (server, _) = serve("127.0.0.1:0", |query, _| {
            let mut wrong = reply(query, 0, vec![]);
            wrong.id ^= 1;
            vec![wrong.write(); 40]
        })
        .await;
        let error = resolver(ONE, server.port()).resolve("a.example").await.unwrap_err();
        assert_eq!(error, ResolveError::Servers(vec![(server, ServerError::Noise)]));
    });
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, tcp| match tcp {
            true => vec![addresses(query, &["192.0.2.1"])],
            false => {
                let owner = query.question.name.clone();
                let mut cut = reply(query, 0, vec![address(owner, "203.0.113.66", 300)]);
                cut.flags |= flag::TRUNCATED;
                vec![cut.write()]
            }
        })
        .await;
        assert_eq!(found(&resolver(ONE, server.port()), "a.example").await, ["192.0.2.1"]);
        assert_eq!(log.borrow().iter().filter(|(_, _, tcp)| *tcp).count(), 2);
    });
}

#[test]
fn over_tcp_the_answer_must_fit_as_well() {
    run(async {
        let conf = format!("{ONE} use-vc");
        let (server, log) = serve("127.0.0.1:0", |query, _| {
            let mut wrong = reply(query, 0, vec![]);
            wrong.id ^= 1;
            vec![wrong.write()]
        })
        .await;
        let error = resolver(&conf, server.port()).resolve("a.example").await.unwrap_err();
        assert!(
            matches!(&error, ResolveError::Servers(all) if matches!(all[..], [(_, ServerError::Malformed(_))])),
            "{error}"
        );
        assert!(log.borrow().iter().all(|(_, _, tcp)| *tcp));
    });
}

#[test]
fn an_answer_over_tcp_is_bounded() {
    run(async {
        let conf = format!("{ONE} use-vc");
        let (server, _) = serve("127.0.0.1:0", |query, _| {
            let mut long = reply(query, 0, vec![]);
            let data = Data::Other(16, vec![0; 17_000]);
            long.answers.push(Record { owner: query.question.name.clone(), class: 1, ttl: 1, data });
            vec![long.write()]
        })
        .await;
        let error = resolver(&conf, server.port()).resolve("a.example").await.unwrap_err();
        assert_eq!(error, ResolveError::Servers(vec![(server, ServerError::Io(std::io::ErrorKind::FileTooLarge))]));
    });
}

#[test]
fn aliases_within_the_answer_are_followed_and_circles_end() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, _| {
            let asked = query.question.name.clone();
            let last = Name::from_host("cdn.example").unwrap();
            let records = match asked.to_string().starts_with("circle") {
                true => vec![alias(asked, "cdn.example"), alias(last, "circle.example")],
                false => vec![alias(asked, "cdn.example"), address(last, "192.0.2.1", 300)],
            };
            vec![reply(query, 0, records).write()]
        })
        .await;
        let resolver = resolver(ONE, server.port());
        assert_eq!(found(&resolver, "a.example").await, ["192.0.2.1"]);
        assert_eq!(resolver.resolve("circle.example").await, Err(ResolveError::NoAddress));
        assert!(log.borrow().iter().all(|(name, _, _)| name != "cdn.example"), "no other name is asked for");
    });
}

#[test]
fn what_is_not_there_is_told_apart_from_what_has_no_address() {
    run(async {
        let (server, _) = serve("127.0.0.1:0", |query, _| {
            let code = if query.question.name.to_string().starts_with("none") { code::NO_NAME } else { code::NO_ERROR };
            vec![reply(query, code, vec![]).write()]
        })
        .await;
        let resolver = resolver(ONE, server.port());
        assert_eq!(resolver.resolve("none.example").await, Err(ResolveError::NoSuchName));
        assert_eq!(resolver.resolve("empty.example").await, Err(ResolveError::NoAddress));
    });
}

#[test]
fn a_server_that_refuses_is_passed_over_for_the_next() {
    run(async {
        let (second, second_log) = serve("127.0.0.2:0", |query, _| vec![addresses(query, &["192.0.2.1"])]).await;
        let first = format!("127.0.0.1:{}", second.port());
        let (_, first_log) = serve(&first, |query, _| vec![reply(query, code::REFUSED, vec![]).write()]).await;
        // Nobody listens at the third.
        let conf = "nameserver 127.0.0.3\nnameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:5";
        assert_eq!(found(&resolver(conf, second.port()), "a.example").await, ["192.0.2.1"]);
        assert_eq!((first_log.borrow().len(), second_log.borrow().len()), (2, 2));
    });
}

#[test]
fn each_servers_failure_is_said() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, _| vec![reply(query, code::SERVER, vec![]).write()]).await;
        let other = format!("127.0.0.2:{}", server.port());
        serve(&other, |query, _| vec![reply(query, code::REFUSED, vec![]).write()]).await;
        let conf = "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions attempts:2 timeout:5";
        let error = resolver(conf, server.port()).resolve("a.example").await.unwrap_err();
        let text = error.to_string().replace(&server.port().to_string(), "PORT");
        insta::assert_snapshot!(text, @"no name server of the host gave an answer; check the host's network and resolv.conf (127.0.0.1:PORT: it failed to find out (SERVFAIL); 127.0.0.2:PORT: it refuses to answer (REFUSED))");
        assert_eq!(log.borrow().len(), 4, "two families, two rounds");
    });
}

#[test]
fn a_silent_server_does_not_keep_the_others_addresses() {
    run(async {
        // It never answers about IPv6.
        let (server, _) = serve("127.0.0.1:0", |query, _| match query.question.kind {
            kind::A => vec![addresses(query, &["192.0.2.1"])],
            _ => vec![],
        })
        .await;
        let conf = "nameserver 127.0.0.1\noptions attempts:5 timeout:30";
        assert_eq!(found(&resolver(conf, server.port()), "a.example").await, ["192.0.2.1"]);
    });
}

#[test]
fn a_silent_server_is_given_up() {
    run(async {
        let (server, _) = serve("127.0.0.1:0", |_, _| vec![]).await;
        let conf = "nameserver 127.0.0.1\noptions attempts:1 timeout:1";
        let error = resolver(conf, server.port()).resolve("a.example").await.unwrap_err();
        assert_eq!(error, ResolveError::Servers(vec![(server, ServerError::Silent)]));
    });
}

#[test]
fn many_that_ask_for_one_name_ask_once_and_a_failure_is_not_kept() {
    run(async {
        let fails = Rc::new(Cell::new(true));
        let failing = Rc::clone(&fails);
        let (server, log) = serve("127.0.0.1:0", move |query, _| match failing.get() {
            true => vec![reply(query, code::SERVER, vec![]).write()],
            false => vec![addresses(query, &["192.0.2.1"])],
        })
        .await;
        let resolver = Rc::new(resolver(ONE, server.port()));
        let all = |resolver: &Rc<Resolver>| {
            let tasks: Vec<_> = (0..500)
                .map(|_| {
                    let resolver = Rc::clone(resolver);
                    tokio::task::spawn_local(async move { resolver.resolve("a.example").await })
                })
                .collect();
            async move {
                let mut good = 0;
                for task in tasks {
                    good += usize::from(task.await.unwrap().is_ok());
                }
                good
            }
        };
        assert_eq!(all(&resolver).await, 0);
        assert_eq!(log.borrow().len(), 2);
        fails.set(false);
        assert_eq!(all(&resolver).await, 500);
        assert_eq!(log.borrow().len(), 4);
        assert!(resolver.under_way.borrow().is_empty());
    });
}

#[test]
fn one_that_goes_away_leaves_the_question_to_the_next() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, _| vec![addresses(query, &["192.0.2.1"])]).await;
        let resolver = Rc::new(resolver(ONE, server.port()));
        let ask = || {
            let resolver = Rc::clone(&resolver);
            tokio::task::spawn_local(async move { resolver.resolve("a.example").await })
        };
        let (first, second) = (ask(), ask());
        tokio::task::yield_now().await;
        assert_eq!(resolver.under_way.borrow().len(), 1);
        first.abort();
        assert!(second.await.unwrap().is_ok());
        assert!(resolver.under_way.borrow().is_empty());
        assert!(log.borrow().len() >= 2);

        let alone = ask();
        resolver.cache.borrow_mut().clear();
        tokio::task::yield_now().await;
        alone.abort();
        assert!(alone.await.unwrap_err().is_cancelled());
        assert!(resolver.under_way.borrow().is_empty(), "nothing stays behind");
    });
}

#[test]
fn a_short_name_is_completed_and_a_failure_ends_the_search() {
    run(async {
        let (server, log) = serve("127.0.0.1:0", |query, _| match query.question.name.to_string().as_str() {
            "db.two.example" => vec![addresses(query, &["192.0.2.2"])],
            "ci.one.example" => vec![reply(query, code::SERVER, vec![]).write()],
            "ci.two.example" => vec![addresses(query, &["192.0.2.3"])],
            _ => vec![reply(query, code::NO_NAME, vec![]).write()],
        })
        .await;
        let resolver = resolver(&format!("search one.example two.example\n{ONE}"), server.port());
        assert_eq!(found(&resolver, "db").await, ["192.0.2.2"]);
        assert!(matches!(resolver.resolve("ci").await, Err(ResolveError::Servers(_))));
        assert_eq!(resolver.resolve("nobody").await, Err(ResolveError::NoSuchName));
        assert!(log.borrow().iter().any(|(name, ..)| name == "nobody"));
        log.borrow_mut().clear();
        assert_eq!(resolver.resolve("other.example").await, Err(ResolveError::NoSuchName));
        assert!(log.borrow().iter().all(|(name, ..)| name == "other.example"));
    });
}

#[test]
fn ids_and_source_ports_differ() {
    let ids: std::collections::HashSet<_> = (0..64).map(|_| client::random_id().unwrap()).collect();
    assert!(ids.len() > 48, "{} of 64 are different", ids.len());
}

#[test]
fn what_a_short_name_was_completed_to_is_told_also_when_it_is_known() {
    run(async {
        let (server, _) = serve("127.0.0.1:0", |query, _| match query.question.name.to_string().as_str() {
            "db.two.example" | "full.example" => vec![addresses(query, &["192.0.2.7"])],
            _ => vec![reply(query, code::NO_NAME, vec![]).write()],
        })
        .await;
        let resolver = resolver(&format!("search one.example two.example\n{ONE}"), server.port());
        for _ in 0..2 {
            assert_eq!(resolver.resolve_as("db").await.unwrap().name, "db.two.example");
            assert_eq!(resolver.resolve_as("Full.Example.").await.unwrap().name, "full.example");
            assert_eq!(resolver.resolve_as("localhost").await.unwrap().name, "localhost");
        }
    });
}
