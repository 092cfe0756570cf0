//! Which addresses lead out to the Internet, and which into the operator's own network.
//!
//! From the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890, with its updates). What is refused in IPv4 is
//! refused in whatever IPv6 form a network carries it; what the registries leave open is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// Where the URLs of a provider may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: files of the build, and addresses that the operator set.
    Anywhere,
    /// To addresses of the Internet only.
    Internet,
}

/// A host that has addresses, all of which lead inside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} leads to private addresses only, which files in PROVIDERS_DIR may not reach unless PROVIDERS_PRIVATE=allow"
)]
pub struct Private {
    /// The name, or the address itself.
    pub host: String,
}

/// The blocks of IPv4 that are not the Internet's.
const V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // behind a carrier's address translation
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, a platform's metadata server among it
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private use
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // IETF protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private use
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast among it
];

/// The one block of IPv6 that is the Internet's.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not, inside of it.
const V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarking, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which carries IPv4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// How a network without IPv4 writes an IPv4 address (NAT64, RFC 6052).
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether an address is one of the Internet.
#[must_use]
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !V4.iter().any(|block| in_v4(address, *block)),
        IpAddr::V6(address) if in_v6(address, NAT64) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            in_v6(address, GLOBAL_UNICAST) && !V6.iter().any(|block| in_v6(address, *block))
        }
    }
}

fn in_v4(address: Ipv4Addr, (block, length): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()) >> (32 - length) == 0
}

fn in_v6(address: Ipv6Addr, (block, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ block.to_bits()) >> (128 - length) == 0
}

/// The addresses of a host that are the Internet's.
///
/// # Errors
/// When it has addresses, and none is.
pub(super) fn public_of(
    host: &str,
    addresses: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Private> {
    let (public, private): (Vec<_>, Vec<_>) = addresses.partition(|address| is_public(address.ip()));
    if public.is_empty() && !private.is_empty() {
        return Err(Private { host: host.to_owned() });
    }
    Ok(public)
}

/// Whether a URL names a private address itself; nobody is asked for the addresses of such a host.
pub(super) fn names_private_address(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str], public: bool) {
        for text in addresses {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_reached() {
        all(&["1.1.1.1", "8.8.8.8", "142.250.1.1", "52.84.1.1", "192.0.1.1", "192.88.98.1"], true);
        all(&["9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "128.0.0.0"], true);
        all(&["169.253.255.255", "172.15.255.255", "172.32.0.0", "198.17.255.255", "198.20.0.0"], true);
        all(&["223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "2001:4860::8888"], true);
    }

    #[test]
    fn addresses_of_the_operators_network_are_not() {
        all(&["10.0.0.1", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.1.1"], false);
        all(&["127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "100.64.0.0", "100.127.255.255"], false);
        // Where platforms give out credentials.
        all(&["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fe80::a9fe:a9fe"], false);
        all(&["::1", "::", "fc00::1", "fdff::1", "fe80::1", "fec0::1"], false);
    }

    #[test]
    fn addresses_that_are_nobodys_are_not() {
        all(&["192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255"], false);
        all(
            &["198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"],
            false,
        );
        all(&["ff02::1", "100::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1"], false);
        all(&["4000::1", "5f00::1", "ffff::1"], false);
    }

    #[test]
    fn a_private_address_is_private_however_ipv6_carries_it() {
        all(&["::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::ffff:0:10.0.0.1"], false);
        all(&["64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8"], false);
        // 6to4 and Teredo, whatever they carry.
        all(&["2002:a00:1::1", "2002:808:808::1", "2001:0:a00:1::1", "2001::1"], false);
        all(&["::ffff:8.8.8.8", "64:ff9b::8.8.8.8"], true);
    }

    #[test]
    fn a_host_is_reached_at_its_public_addresses_only() {
        let addresses = |list: &[&str]| {
            list.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect::<Vec<_>>()
        };
        let of = |list: &[&str]| public_of("idp.example", addresses(list).into_iter());
        assert_eq!(of(&["8.8.8.8", "10.0.0.1", "2606:4700::1"]), Ok(addresses(&["8.8.8.8", "2606:4700::1"])));
        assert_eq!(of(&[]), Ok(Vec::new()));
        let refused = of(&["10.0.0.1", "::1"]).unwrap_err();
        assert!(refused.to_string().starts_with("idp.example leads to private addresses"), "{refused}");
    }

    #[test]
    fn a_url_that_names_a_private_address_is_seen_however_it_is_written() {
        let names = |text: &str| names_private_address(&Url::parse(text).unwrap());
        for text in
            ["https://10.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0251.0376.0251.0376/"]
        {
            assert!(names(text), "{text}");
        }
        for text in ["https://[::1]/", "https://[::ffff:10.0.0.1]:8443/", "https://[fd00::1]/"] {
            assert!(names(text), "{text}");
        }
        for text in ["https://8.8.8.8/", "https://idp.example/", "https://[2606:4700::1]/"] {
            assert!(!names(text), "{text}");
        }
    }
}
