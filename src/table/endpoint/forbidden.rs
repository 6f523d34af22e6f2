//! Hosts that are never called, so that a manifest cannot make a sidecar read what only its node
//! or its cluster may (server-side request forgery). The whole list:
//!
//! - addresses: 0.0.0.0/8, 169.254.0.0/16 (link-local: AWS, Azure, Google, Oracle and others serve
//!   credentials there), 100.100.100.200 (Alibaba), 168.63.129.16 (Azure), 192.0.0.192 (Oracle),
//!   `::`, fe80::/10, fd00:ec2::/32 (AWS), fd20:ce::254 (Google), also where IPv6 wraps the IPv4
//!   ones (mapped, compatible, NAT64, 6to4);
//! - names: `metadata`, `metadata.google.internal`, `metadata.goog`, `instance-data`,
//!   `instance-data.ec2.internal`, `metadata.tencentyun.com`, `metadata.azure.internal`;
//! - the API server: `kubernetes`, `kubernetes.default` and what follows it (`.svc`, …).
//!
//! Loopback and private ranges are allowed: models run in the cluster, and on laptops.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const NAMES: [&str; 9] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.tencentyun.com",
    "metadata.azure.internal",
    "instance-data",
    "instance-data.ec2.internal",
    "kubernetes",
    "kubernetes.default",
];

/// Is this an address that is never called? Asked of literals when a base URL is read, and of what
/// a name resolves to before it is connected to.
pub fn is_forbidden_ip(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_forbidden_v4(address),
        IpAddr::V6(address) => is_forbidden_v6(address),
    }
}

/// Is this a name that is never called?
pub fn is_forbidden_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    NAMES.contains(&host.as_str()) || host.starts_with("kubernetes.default.")
}

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    let octets = address.octets();
    octets[0] == 0
        || address.is_link_local()
        || matches!(octets, [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192])
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let aws = segments[..2] == [0xfd00, 0x0ec2];
    let google = segments == [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254];
    address.is_unspecified()
        || address.is_unicast_link_local()
        || aws
        || google
        || wrapped(segments).is_some_and(is_forbidden_v4)
}

/// The IPv4 address within: `::a.b.c.d`, `::ffff:a.b.c.d`, `64:ff9b::a.b.c.d`, `2002:…`. The
/// loopback `::1` is none.
fn wrapped(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FAULTS 36.
    #[test]
    fn metadata_is_out_of_reach_and_the_cluster_is_not() {
        for bad in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert!(is_forbidden_ip(bad.parse().unwrap()), "{bad}");
        }
        for good in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_forbidden_ip(good.parse().unwrap()), "{good}");
        }
        for bad in ["Metadata.Google.Internal.", "kubernetes.default.svc", "kubernetes"] {
            assert!(is_forbidden_name(bad), "{bad}");
        }
        for good in ["kubernetes.default-ai.example", "kubernetes.io", "ollama.default.svc"] {
            assert!(!is_forbidden_name(good), "{good}");
        }
    }
}
