//! The pair of interfaces between the machine and a node's network.
//!
//! It goes when that network goes, or when the cluster's folder does, which has its name. That name
//! on the machine is its lock: the kernel gives it once, so that of several nodes each has
//! addresses of its own.

use std::net::Ipv4Addr;

use anyhow::bail;

use crate::command;
use crate::folder::Folder;

/// The pairs that there can be at once.
const MOST: u8 = 64;

/// Connects the network of process `id`, and returns the address that the node has on the pair.
pub(crate) fn create(id: u32, folder: &Folder) -> anyhow::Result<Ipv4Addr> {
    for number in 0..MOST {
        let [outside, inside] = [1, 2].map(|host| Ipv4Addr::new(10, 213, number, host));
        let name = format!("pillion{number}");
        if is_taken(outside)? || !is_made(&name, id)? {
            continue;
        }
        folder.write("link", &name)?;
        let [outside, within] = [outside, inside].map(|address| format!("{address}/30"));
        command::run("ip", &["address", "add", &outside, "dev", &name])?;
        command::run("ip", &["link", "set", &name, "up"])?;
        let network = format!("--net=/proc/{id}/ns/net");
        command::run("nsenter", &[&network, "ip", "address", "add", &within, "dev", "eth0"])?;
        command::run("nsenter", &[&network, "ip", "link", "set", "eth0", "up"])?;
        return Ok(inside);
    }
    bail!("all of 10.213.0.0/18 is taken (ip route)")
}

/// Whether somebody else has that network.
fn is_taken(address: Ipv4Addr) -> anyhow::Result<bool> {
    let network = format!("{address}/30");
    Ok(!command::run("ip", &["-oneline", "route", "show", "root", &network])?.is_empty())
}

/// Whether the name was free.
fn is_made(name: &str, id: u32) -> anyhow::Result<bool> {
    let id = id.to_string();
    let pair = ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", &id];
    match command::run("ip", &pair) {
        Err(error) if !format!("{error:#}").contains("File exists") => Err(error),
        made => Ok(made.is_ok()),
    }
}
