use proptest::prelude::*;

use super::*;

fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 192, 0, 2, 7];
    packet.extend_from_slice(payload);
    packet
}

fn v6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, protocol, 64];
    packet.extend_from_slice(&[0; 16]);
    packet.extend_from_slice(&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
    packet.extend_from_slice(payload);
    packet
}

fn tcp(flags: u8) -> [u8; 20] {
    let mut header = [0; 20];
    header[..2].copy_from_slice(&[0x12, 0x34]);
    header[3] = 22;
    header[13] = flags;
    header
}

const UDP: [u8; 8] = [0x12, 0x34, 1, 0xbb, 0, 8, 0, 0];

#[test]
fn beginnings_are_told_and_nothing_else() {
    let (four, six): (IpAddr, IpAddr) = ("192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap());
    for (packet, from, to) in [(v4(6, &tcp(2)), "10.0.0.1:4660", four), (v6(6, &tcp(2)), "[::]:4660", six)] {
        let sent = Sent { to, port: 22, protocol: Protocol::Tcp };
        assert_eq!(Sent::read(&packet), Some((from.parse().unwrap(), sent)));
    }
    for (packet, from, to) in [(v4(17, &UDP), "10.0.0.1:4660", four), (v6(17, &UDP), "[::]:4660", six)] {
        let sent = Sent { to, port: 443, protocol: Protocol::Udp };
        assert_eq!(Sent::read(&packet), Some((from.parse().unwrap(), sent)));
    }
    assert_eq!(Sent::read(&v4(6, &tcp(0x12))), None, "an answer");
    assert_eq!(Sent::read(&v4(6, &tcp(0x10))), None, "a later packet");
    assert_eq!(Sent::read(&v4(1, &UDP)), None, "ICMP");
    let mut fragment = v4(17, &UDP);
    fragment[7] = 1;
    assert_eq!(Sent::read(&fragment), None, "a later fragment");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Sent::read(&bytes);
    }

    #[test]
    fn every_shorter_packet_is_survived(end in 0usize..60) {
        for packet in [v4(6, &tcp(2)), v6(17, &UDP)] {
            let _ = Sent::read(packet.get(..end).unwrap_or(&packet));
        }
    }
}
