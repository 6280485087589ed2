//! The network gate as the program runs it: what the Linux tiers ask of a gatekeeper, answered by the crate of the gate.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use bailiwick::Prepared;
use bailiwick::linux::gate::{self as tier, Askers, BUNDLE, Gatekeeper, Line, Outlet, OwnFile};
use bailiwick_gate::inspect::{Inspection, bundle};
use bailiwick_gate::{Config, Connection, Sockets, Stop, Transport, WhoAsks, serve};

use crate::failure::Failure;

/// The gate of one run.
struct Gate(Config);

/// The gate that this run needs: none without hosts. What it needs of the host is read now, so that a credential that is
/// missing refuses the run.
pub(crate) fn gatekeeper(prepared: &Prepared) -> Result<Option<Box<dyn Gatekeeper>>, Failure> {
    let boundary = &prepared.boundary;
    if !prepared.needs_gate() {
        return Ok(None);
    }
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let run = std::process::id().to_string();
    let inspection = Inspection::prepare(&boundary.network, &run, &environment, &boundary.home);
    let mut config = Config::new(boundary.network.clone());
    config.inspection = inspection.map_err(Failure::new)?;
    config.environment = environment;
    Ok(Some(Box::new(Gate(config))))
}

impl Gatekeeper for Gate {
    fn files(&self) -> Vec<OwnFile> {
        let bundle = self.0.inspection.iter().map(Inspection::bundle);
        bundle.map(|content| OwnFile { at: BUNDLE.into(), content: content.to_owned(), optional: false }).collect()
    }

    fn variables(&self) -> Vec<(OsString, OsString)> {
        if self.0.inspection.is_none() {
            return Vec::new();
        }
        bundle::environment(Path::new(BUNDLE)).into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    fn serve(mut self: Box<Self>, outlet: Outlet, line: Line) -> Result<(), String> {
        self.0.who_asks = outlet.askers.map(|askers| Box::new(Asking(askers)) as Box<dyn WhoAsks + Send>);
        let sockets = Sockets {
            dns_udp: Some(outlet.names_udp),
            dns_tcp: Some(outlet.names_tcp),
            listeners: outlet.listeners,
            http_proxy: Some(outlet.http_proxy),
            socks: Some(outlet.socks),
            packets: outlet.packets,
        };
        let stop = line.end().map_err(|error| format!("the network gate could not watch for its end: {error}"))?;
        let line = std::rc::Rc::new(line);
        let teller = line.clone();
        let tell = move |attempt| {
            // A supervisor that is behind misses it: waiting would hold up everybody's traffic.
            if let Ok(record) = serde_json::to_vec(&attempt) {
                let _ = teller.tell(&record);
            }
        };
        // A supervisor that is gone takes this process along.
        let ready = move || drop(line.ready());
        serve(self.0, sockets, tell, ready, Stop::when_readable(stop)).map_err(|error| error.to_string())
    }
}

/// Asks the supervisor.
struct Asking(Askers);

impl WhoAsks for Asking {
    fn ask(&self, number: u32, connection: &Connection) -> io::Result<()> {
        let Connection { transport, inside, asked } = *connection;
        let transport = match transport {
            Transport::Tcp => tier::Transport::Tcp,
            Transport::Udp => tier::Transport::Udp,
        };
        self.0.ask(number, &tier::Connection { transport, inside, asked })
    }

    fn answer(&self) -> io::Result<(u32, Option<String>)> {
        let (number, program) = self.0.answer()?;
        // What is no text is shown as such; it is the inside's, and nothing depends on it.
        Ok((number, program.map(|program| String::from_utf8_lossy(&program).into_owned())))
    }

    fn answers(&self) -> io::Result<OwnedFd> {
        self.0.answers()
    }
}

#[cfg(test)]
mod tests {
    use bailiwick::report::{Attempt, AttemptResult, Way};
    use bailiwick_gate::event;

    /// The library reads what the gate writes, without knowing the gate.
    #[test]
    fn the_report_says_what_the_gate_tells() {
        let allowed = event::AttemptResult::Allowed {
            address: Some("203.0.113.9:443".parse().unwrap()),
            rule: "allow".to_owned(),
            sent: 1,
            received: 2,
            duration: 3,
        };
        let refused =
            event::AttemptResult::Refused { reason: "no".to_owned(), rule: None, grant: Some("x".to_owned()) };
        let failed = event::AttemptResult::Failed { reason: "nobody".to_owned() };
        for result in [allowed, refused, failed] {
            for way in
                [event::Way::Dns, event::Way::Transparent, event::Way::Http, event::Way::Socks, event::Way::Packet]
            {
                let told = event::Attempt {
                    at: 7,
                    way,
                    program: Some("curl".to_owned()),
                    host: "example.org".to_owned(),
                    port: 443,
                    request: Some("GET /".to_owned()),
                    result: result.clone(),
                };
                let event = bailiwick::report::Event::of_gate(&serde_json::to_string(&told).unwrap());
                let bailiwick::report::Event::Network(Attempt { at: 7, port: 443, way: read, result, .. }) = event
                else {
                    panic!("{event:?}");
                };
                assert_eq!(serde_json::to_value(read).unwrap(), serde_json::to_value(way).unwrap());
                assert_eq!(
                    serde_json::to_value::<AttemptResult>(result).unwrap(),
                    serde_json::to_value(&told.result).unwrap()
                );
                let _: Way = read;
            }
        }
    }
}
