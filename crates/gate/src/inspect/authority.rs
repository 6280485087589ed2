//! The authority of one run: it signs what the gate shows to programs inside, and nobody else trusts it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use bailiwick_policy::boundary::Network;
use bailiwick_policy::host_pattern::{Host, Hosts};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
    SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;

use super::InspectError;

/// How long before now its certificates begin: clocks inside (a container, a virtual machine) may be behind.
const BEFORE: Duration = Duration::from_secs(60 * 60);
/// How long its certificates hold. A run that lasts longer loses its inspected hosts, not its confinement.
const HOLDS: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Most characters of a run's name in the certificate (X.520: 64 for a common name).
const LONGEST_RUN: usize = 32;

/// A certificate authority for one run.
///
/// Its key (ECDSA, P-256) is made here, is never written anywhere, and cannot be asked for. `rcgen` and `ring` keep
/// it in ordinary memory and do not clear it; the processes that hold it are not dumpable and end with the run.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: String,
    from: SystemTime,
}

/// What an authority may sign for: the hosts that the policy inspects. Stands in its certificate (name constraints,
/// RFC 5280 4.2.1.10), so that even its key would forge no other host for the inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// These names and all below them.
    pub names: Vec<String>,
    /// These addresses.
    pub addresses: Vec<CidrSubnet>,
    /// Some rule inspects every name.
    pub any: bool,
}

/// The hosts of `network` that are inspected, if any: by a rule, or because the administrator's list says so.
pub(super) fn inspected(network: &Network) -> Option<Inspected> {
    let rules = network.allow.iter().chain(network.ceiling.iter().flatten());
    let patterns: Vec<_> = rules.filter(|rule| rule.value.inspect).map(|rule| &rule.value.pattern.hosts).collect();
    let mut inspected = Inspected::default();
    for hosts in &patterns {
        match hosts {
            Hosts::Name(name) | Hosts::Below(name) | Hosts::AtAndBelow(name) => inspected.names.push(name.clone()),
            Hosts::Address(address) => inspected.addresses.push(single(*address)),
            // What rcgen cannot read back is not permitted: then programs refuse the host, and nothing else happens.
            Hosts::Range(range) => inspected.addresses.extend(range.to_string().parse::<CidrSubnet>().ok()),
            Hosts::Any => inspected.any = true,
        }
    }
    (!patterns.is_empty()).then_some(inspected)
}

impl Authority {
    /// Makes the authority of the run called `run`, for the hosts in `inspected`.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(run: &str, inspected: &Inspected) -> Result<Authority, InspectError> {
        let from = SystemTime::now();
        let run: String = run.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(LONGEST_RUN).collect();
        let mut params = params(from)?;
        params.distinguished_name = called(&format!("bailiwick run {run}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = constraints(inspected);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(InspectError::certificate)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(InspectError::certificate)?;
        let pem = super::bundle::pem(issuer.der());
        Ok(Authority { issuer, pem, from })
    }

    /// The certificate, as PEM. There is no way to the key.
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for `host` with the key `key`.
    pub(super) fn sign(&self, host: &Host, key: &KeyPair) -> Result<CertificateDer<'static>, InspectError> {
        let mut params = params(self.from)?;
        params.distinguished_name = called("bailiwick gate");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![match host {
            Host::Name(name) => SanType::DnsName(name.as_str().try_into().map_err(InspectError::certificate)?),
            Host::Address(address) => SanType::IpAddress(*address),
        }];
        let certificate = params.signed_by(key, &self.issuer).map_err(InspectError::certificate)?;
        Ok(certificate.der().clone())
    }
}

/// Says nothing of the key.
impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// Serial number and validity; everything else is the caller's.
fn params(from: SystemTime) -> Result<CertificateParams, InspectError> {
    let since_epoch = from.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    // A clock that is nowhere near our time must not overflow the sum: year 4096 is where rcgen's own default ends.
    let begins = since_epoch.min(Duration::from_secs(67_000_000_000));
    params.not_before = epoch + begins.saturating_sub(BEFORE);
    params.not_after = epoch + begins + HOLDS;
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// A random number of 127 bits: NSS refuses two certificates of one issuer with the same number.
fn serial() -> Result<SerialNumber, InspectError> {
    let mut bytes = [0; 16];
    super::random(&mut bytes)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn called(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::OrganizationName, "bailiwick");
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Kinds of names without a permitted tree are unconstrained (RFC 5280 4.2.1.10), so what is not inspected is excluded.
fn constraints(inspected: &Inspected) -> Option<NameConstraints> {
    if inspected.any {
        return None;
    }
    let mut constraints = NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees: Vec::new() };
    constraints.permitted_subtrees.extend(inspected.names.iter().cloned().map(GeneralSubtree::DnsName));
    constraints.permitted_subtrees.extend(inspected.addresses.iter().copied().map(GeneralSubtree::IpAddress));
    if inspected.names.is_empty() {
        constraints.excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
    }
    if inspected.addresses.is_empty() {
        for all in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            constraints.excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(all, 0)));
        }
    }
    Some(constraints)
}

fn single(address: IpAddr) -> CidrSubnet {
    CidrSubnet::from_addr_prefix(address, if address.is_ipv4() { 32 } else { 128 })
}
