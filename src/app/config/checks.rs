//! What no key can know alone.

use super::problem::{Fault, Problems};
use super::value::Value;
use super::{AddressChoice, Config, Effective};

/// Secrets shorter than this are worth a warning: guessing must be hopeless.
pub const SHORT_SECRET: usize = 16;

/// Checks keys against each other.
pub(super) fn together(effective: &Effective, config: &Config, problems: &mut Problems) {
    let mut wrong = |key: &str, what: String| {
        let fault = Fault { place: effective.place(key).clone(), what };
        problems.extend(key, vec![fault]);
    };
    if config.listen.udp.is_empty() && is_empty_list(effective, "listen.udp") {
        wrong(
            "listen.udp",
            "is empty; write at least one address, such as \"0.0.0.0:3478\"".into(),
        );
    }
    match (&config.tls.certificate, &config.tls.key) {
        (Some(_), None) => wrong("tls.key", "is empty; write the file of its private key".into()),
        (None, Some(_)) => {
            wrong("tls.certificate", "is empty; write the file that tls.key belongs to".into());
        }
        (None, None) if !config.listen.tls.is_empty() && !config.dev => {
            let what = "needs a certificate; write its files into tls.certificate and tls.key";
            wrong("listen.tls", what.into());
        }
        _ => {}
    }
    for external in &config.relay.external {
        let explicit = config.relay.addresses.iter().all(|choice| *choice != AddressChoice::Auto);
        let known = |ip| config.relay.addresses.contains(&AddressChoice::Ip(ip));
        match external.private {
            Some(private) if explicit && !known(private) => {
                let what = format!("{private} is none of relay.addresses; add it there");
                wrong("relay.external", what);
            }
            None if same_family(config, external.public.is_ipv4()) > 1 => {
                let public = external.public;
                let what = format!(
                    "{public} could name several relay addresses; write \"{public}/PRIVATE\""
                );
                wrong("relay.external", what);
            }
            _ => {}
        }
    }
}

/// A list that was read and is empty; one that could not be read has had its complaint.
fn is_empty_list(effective: &Effective, name: &str) -> bool {
    let mut values = effective.values();
    let named = values.find(|(index, _)| super::keys::KEYS[*index].name == name);
    named.is_some_and(|(_, node)| node.value == Value::List(Vec::new()))
}

fn same_family(config: &Config, v4: bool) -> usize {
    let of =
        |choice: &&AddressChoice| matches!(choice, AddressChoice::Ip(ip) if ip.is_ipv4() == v4);
    config.relay.addresses.iter().filter(of).count()
}

/// What works, but should not stay as it is.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.auth.secrets.iter().any(|secret| secret.expose().len() < SHORT_SECRET) {
        warnings.push(format!(
            "a secret of auth.secrets has fewer than {SHORT_SECRET} characters and can be guessed; \
             make one with `openssl rand -hex 32`"
        ));
    }
    if config.hooks.secrets.iter().any(|secret| secret.expose().len() < SHORT_SECRET) {
        warnings.push(format!(
            "a secret of hooks.secrets has fewer than {SHORT_SECRET} characters and can be guessed; \
             make one with `openssl rand -hex 32`"
        ));
    }
    if config.peers.deny.is_empty() && !config.dev {
        warnings.push(
            "peers.deny is empty: whoever has a credential reaches the networks behind this host"
                .to_owned(),
        );
    }
    warnings
}
