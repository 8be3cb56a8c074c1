//! The tests of the tests: coturn itself passes what we must pass, and each kind of failure is seen.

use std::time::Duration;

use crate::support::coturn::Coturn;
use crate::support::credentials::Credential;
use crate::support::server::Start;
use crate::support::tools::{Peer, Report, stunclient, uclient};
use crate::support::turn_client::TurnClient;

const GOOD: &str = "\
1: : start_mclient: msz=2, tot_send_msgs=4, tot_recv_msgs=3, tot_send_bytes ~ 0, tot_recv_bytes ~ 0
3: : start_mclient: tot_send_msgs=20, tot_recv_msgs=20
3: : Total lost packets 0 (0.000000%), total send dropped 0 (0.000000%)
";

fn parsed(output: &str) -> Report {
    Report { code: Some(0), ..Report::parse(output) }
}

#[test]
fn the_last_totals_count() {
    assert_eq!(parsed(GOOD).complaint(20), None);
}

#[test]
fn lost_packets_are_seen() {
    let lost =
        GOOD.replace("recv_msgs=20", "recv_msgs=10").replace("packets 0 (0", "packets 10 (50");
    assert_eq!(parsed(&lost).lost, Some(10));
    assert!(parsed(&lost).complaint(20).is_some());
}

#[test]
fn a_report_of_loss_alone_is_seen() {
    assert!(parsed(&GOOD.replace("packets 0 (0", "packets 1 (5")).complaint(20).is_some());
}

#[test]
fn too_few_messages_are_seen() {
    assert!(parsed(GOOD).complaint(40).is_some());
}

#[test]
fn silence_is_no_success() {
    assert!(parsed("").complaint(0).is_some());
}

#[test]
fn an_error_line_is_seen() {
    let noisy = format!("{GOOD}3: : channel bind: error 400 (Bad Request)\n");
    assert!(parsed(&noisy).complaint(20).is_some());
}

#[test]
fn a_failing_exit_code_is_seen() {
    assert!(Report { code: Some(255), ..Report::parse(GOOD) }.complaint(20).is_some());
}

#[test]
#[should_panic(expected = "should have been refused")]
fn success_is_not_taken_for_a_refusal() {
    parsed(GOOD).expect_refused();
}

#[test]
fn coturn_relays_over_channels() {
    let (coturn, peer) = (Coturn::with_secret("north"), Peer::start("127.0.0.1"));
    let [e, ip, r, port] = peer.args();
    uclient(coturn.udp(), &["-W", "north", "-n", "10", &e, &ip, &r, &port]).expect_all(20);
}

#[test]
fn coturn_refuses_an_expired_credential() {
    let coturn = Coturn::with_secret("north");
    let old = Credential::expired("north", "ann", Duration::from_secs(60));
    uclient(coturn.udp(), &["-u", &old.username, "-w", &old.password, "-y"]).expect_refused();
}

#[test]
fn a_peer_that_is_not_there_is_seen_as_loss() {
    let coturn = Coturn::with_user("ann", "pass");
    let nobody = crate::support::free_port_pair("127.0.0.1").to_string();
    let args = ["-u", "ann", "-w", "pass", "-n", "3", "-c", "-e", "127.0.0.1", "-r", &nobody];
    let report = uclient(coturn.udp(), &args);
    assert!(report.complaint(3).is_some());
    assert!(report.lost.is_some_and(|lost| lost > 0), "{report:?}");
}

#[test]
fn our_own_client_works_against_coturn() {
    let coturn = Coturn::with_secret("north");
    let mut one = TurnClient::new(coturn.udp(), Credential::fresh("north", "ann"));
    let mut two = TurnClient::new(coturn.udp(), Credential::fresh("north", "bob"));
    let (a, b) = (one.allocate().expect("allocated"), two.allocate().expect("allocated"));
    one.bind_channel(0x4000, b).expect("bound");
    two.bind_channel(0x4001, a).expect("bound");
    one.send_channel(0x4000, b"over the relay");
    let limit = Duration::from_secs(5);
    assert_eq!(two.receive_channel(limit), Some((0x4001, b"over the relay".to_vec())));
    assert_eq!(one.refresh(0), Ok(0));
}

#[test]
fn our_own_client_is_refused_with_401_by_coturn() {
    let coturn = Coturn::with_secret("north");
    let mut wrong = TurnClient::new(coturn.udp(), Credential::fresh("south", "ann"));
    assert_eq!(wrong.allocate().expect_err("refused").code, 401);
}

#[test]
fn stunclient_works_against_coturn() {
    assert!(stunclient(Coturn::with_secret("north").udp()).starts_with("127.0.0.1:"));
}

#[test]
fn a_missing_binary_is_a_clear_failure() {
    let failure = Start::default().binary("/nowhere/relayhouse").try_start().err();
    assert!(failure.expect("nothing there").why.contains("/nowhere/relayhouse cannot be started"));
}

#[test]
fn a_binary_that_ends_at_once_is_a_clear_failure() {
    let failure = Start::default().binary("false").try_start().err().expect("it ended");
    assert!(failure.why.contains("ended before it was ready"), "{failure}");
    assert_eq!(failure.status.and_then(|status| status.code()), Some(1));
}

#[test]
fn a_binary_that_never_gets_ready_is_a_clear_failure_with_its_output() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("stuck");
    std::fs::write(&script, "#!/bin/sh\necho halfway there >&2\nexec sleep 30\n").expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("executable");
    let limit = Duration::from_millis(500);
    let failure = Start::default().binary(script).ready_within(limit).try_start().err();
    let failure = failure.expect("it is stuck").to_string();
    assert!(failure.contains("not ready within"), "{failure}");
    assert!(failure.contains("halfway there"), "{failure}");
}
