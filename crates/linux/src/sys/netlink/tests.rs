//! The bytes of requests, and what is made of answers.

#![allow(clippy::unwrap_used)]

use std::os::fd::AsFd;

use super::*;

/// The parts of a message: `(type, flags, body)`.
fn taken_apart(request: &mut Request) -> (u16, u16, Vec<u8>) {
    let bytes = request.done(7).unwrap().to_vec();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
    let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().unwrap());
    assert_eq!((word(0) as usize, word(8), word(12)), (bytes.len(), 7, 0));
    (half(4), half(6), bytes[HEADER..].to_vec())
}

/// The attributes in `bytes`, each with its content.
fn attributes(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = usize::from(u16::from_ne_bytes(bytes[..2].try_into().unwrap()));
        let kind = u16::from_ne_bytes(bytes[2..4].try_into().unwrap());
        found.push((kind, bytes[4..length].to_vec()));
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    found
}

const FLAGS: u16 = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;

#[test]
fn a_pair_has_both_ends_in_it() {
    let end = End { name: b"bw", index: 1000, hardware: [2, 0, 0, 0, 0, 1] };
    let other = End { name: b"other", index: 1001, ..end };
    let here = std::fs::File::open("/").unwrap();
    let (kind, flags, body) = taken_apart(&mut Request::pair(end, other, here.as_fd(), 65535));
    assert_eq!((kind, flags), (libc::RTM_NEWLINK, FLAGS));
    let device =
        |index: u32, flags: i32| [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), flags.to_ne_bytes()].concat();
    assert_eq!(body[..16], device(1000, libc::IFF_UP | libc::IFF_NOARP));
    let found = attributes(&body[16..]);
    assert_eq!(found[0], (libc::IFLA_IFNAME, b"bw".to_vec()));
    assert_eq!(found[1], (libc::IFLA_ADDRESS, vec![2, 0, 0, 0, 0, 1]));
    assert_eq!(found[2], (libc::IFLA_MTU, 65535u32.to_ne_bytes().to_vec()));
    assert_eq!((found[3].0, found.len()), (libc::IFLA_LINKINFO, 4));
    let information = attributes(&found[3].1);
    assert_eq!(information[0], (libc::IFLA_INFO_KIND, b"veth".to_vec()));
    let data = attributes(&information[1].1);
    assert_eq!((information[1].0, data[0].0, data.len()), (libc::IFLA_INFO_DATA, VETH_INFO_PEER, 1));
    assert_eq!(data[0].1[..16], device(1001, libc::IFF_NOARP));
    let peer = attributes(&data[0].1[16..]);
    assert_eq!(peer[0], (libc::IFLA_IFNAME, b"other".to_vec()));
    assert_eq!(peer[3], (libc::IFLA_NET_NS_FD, here.as_raw_fd().to_ne_bytes().to_vec()));
    let (kind, flags, body) = taken_apart(&mut Request::up(1001));
    assert_eq!((kind, flags), (libc::RTM_NEWLINK, (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16));
    assert_eq!(body, device(1001, libc::IFF_UP));
}

#[test]
fn an_address_is_the_devices_alone() {
    let (kind, flags, body) = taken_apart(&mut Request::address_of(5, "198.18.0.2".parse().unwrap()));
    assert_eq!((kind, flags), (libc::RTM_NEWADDR, FLAGS));
    assert_eq!(body[..8], [[2, 32, libc::IFA_F_NODAD as u8, 0], 5u32.to_ne_bytes()].concat());
    let address = vec![198, 18, 0, 2];
    assert_eq!(attributes(&body[8..]), [(libc::IFA_LOCAL, address.clone()), (libc::IFA_ADDRESS, address)]);
    let (_, _, body) = taken_apart(&mut Request::address_of(5, "fd00::2".parse().unwrap()));
    assert_eq!((body[0], body[1], attributes(&body[8..])[0].1.len()), (10, 128, 16));
}

#[test]
fn routes_say_where_they_lead() {
    let route = |to: &str, prefix, way, local| {
        let (kind, flags, body) =
            taken_apart(&mut Request::route(Route { to: to.parse().unwrap(), prefix, device: 9, way, local }));
        assert_eq!((kind, flags), (libc::RTM_NEWROUTE, FLAGS));
        let head: [u8; 8] = body[..8].try_into().unwrap();
        (head, u32::from_ne_bytes(body[8..12].try_into().unwrap()), attributes(&body[12..]))
    };
    let device = (libc::RTA_OIF, 9u32.to_ne_bytes().to_vec());
    // No congestion control with timers on the way to the other end of the cable: length 9, type 16, the name and its NUL.
    let reno = [&9u16.to_ne_bytes()[..], &16u16.to_ne_bytes()[..], b"reno\0\0\0\0"].concat();
    let metrics = (libc::RTA_METRICS, reno);
    let everything = route("0.0.0.0", 0, Way::Here, true);
    assert_eq!(everything, ([2, 0, 0, 0, 255, 4, 254, 2], 0, vec![device.clone()]));
    let one = route("198.18.0.2", 32, Way::Device, true);
    assert_eq!(
        one,
        ([2, 32, 0, 0, 255, 4, 253, 1], 0, vec![(libc::RTA_DST, vec![198, 18, 0, 2]), device.clone(), metrics.clone()])
    );
    let gateway: IpAddr = "fd00::1".parse().unwrap();
    let default = route("::", 0, Way::Gateway(gateway), false);
    let by = (libc::RTA_GATEWAY, "fd00::1".parse::<Ipv6Addr>().unwrap().octets().to_vec());
    assert_eq!(default, ([10, 0, 0, 0, 254, 4, 0, 1], RTNH_F_ONLINK, vec![by, device, metrics]));
}

#[test]
fn a_request_that_does_not_fit_is_not_sent() {
    let mut request = Request::new(libc::RTM_NEWLINK, 0);
    for _ in 0..40 {
        request.attribute(1, &[0; 16]);
    }
    assert_eq!(request.done(1).err(), Some(Errno::NOBUFS));
}

#[test]
fn answers_are_told_apart() {
    let reply = |kind: i32, number: u32, errno: i32| {
        let header = [36u32.to_ne_bytes(), (kind as u32).to_ne_bytes(), number.to_ne_bytes(), [0; 4]].concat();
        [header, errno.to_ne_bytes().to_vec()].concat()
    };
    assert_eq!(answer(&reply(libc::NLMSG_ERROR, 3, 0), 3), Some(Ok(())));
    assert_eq!(answer(&reply(libc::NLMSG_ERROR, 3, -libc::EPERM), 3), Some(Err(Errno::PERM)));
    assert_eq!(answer(&reply(libc::NLMSG_ERROR, 2, 0), 3), None, "of an earlier request");
    assert_eq!(answer(&reply(libc::NLMSG_DONE, 3, 0), 3), None);
    assert_eq!(answer(&[0; 10], 3), Some(Err(Errno::PROTO)));
}
